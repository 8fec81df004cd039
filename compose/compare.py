"""What differs between the vendor's file and what is declared, one line each, with the place of the change."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from compose.declared import FIELD_OF, IMAGE_OF, Declared
from compose.package import Shipped
from infra.aipp.names import STORES
from infra.config.aipp_services import sounds_secret
from infra.config.types import FLOATING_TAGS


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that differs."""

    service: str
    """Whose it is: our name for it, or the vendor's where we have none."""
    what: str
    """image, port, environment, secret, volume, file, dependency, gpu, shared memory, refused, or service."""
    says: str
    """What the vendor has, what we have, and where to change it."""


def ours(shipped: Shipped) -> str | None:
    """Return our name of the vendor's service: by its image, else by its name; None: we have none."""
    last, _ = parts(shipped.image)
    by_image = IMAGE_OF.get(last.rpartition("/")[2])
    return by_image or next((name for name in FIELD_OF if shipped.name in (name, name.removeprefix("enai-"))), None)


def parts(image: str) -> tuple[str, str]:
    """Return an image's name and its tag; without a tag it is `latest`, as Docker takes it."""
    name, _, tag = image.partition("@")[0].rpartition(":")
    return (name, tag) if name and "/" not in tag else (image.partition("@")[0], "latest")


def compare(package: Iterable[Shipped], declared: Mapping[str, Declared]) -> list[Difference]:
    """Return every difference, service by service."""
    shipped = list(package)
    names = {each.name: ours(each) for each in shipped}
    found: list[Difference] = []
    for each in shipped:
        name = names[each.name]
        if name and name in declared:
            pairs = [*_service(each, declared[name], names), *(("refused", text) for text in each.refused)]
            found += [Difference(service=name, what=what, says=says) for what, says in pairs]
        elif name:
            left_out = "is in the file and left out here: raise aipp.linker.gpuCount where there is a GPU"
            found.append(Difference(service=name, what="service", says=left_out))
        else:
            new = "is new: `--draft` writes a first component for it"
            found.append(Difference(service=each.name, what="service", says=new))
            found += [Difference(service=each.name, what="refused", says=text) for text in each.refused]
    for name in sorted(set(declared) - {name for name in names.values() if name}):
        found.append(Difference(service=name, what="service", says="is declared here, and in the file no more"))
    return found


def says_as_much(own: str, theirs: str) -> bool:
    """Say whether our tag is theirs or says it more exactly: 0.8.1-pg17 for pg17, 7.4.2-bookworm for 7."""
    parts_of_own = own.split("-")
    return all(any(f"{have}.".startswith(f"{part}.") for have in parts_of_own) for part in theirs.split("-"))


def _service(shipped: Shipped, declared: Declared, names: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    field = f"aipp.{FIELD_OF[declared.name]}"
    yield from _image(shipped, declared, field)
    for port in sorted(shipped.ports - declared.ports):
        has = ", ".join(map(str, sorted(declared.ports)))
        yield "port", f"{port} is opened there, {has} here: see {field}.port"
    yield from _variables(shipped, declared, field)
    for path in sorted(shipped.volumes - declared.volumes):
        if not any(path.startswith(f"{other}/") or other.startswith(f"{path}/") for other in declared.volumes):
            yield "volume", f"{path} is kept there and not here: give it a claim in {field}.volumes"
    for path in sorted(shipped.files):
        yield "file", f"{path} is mounted there: check that what it does is done here"
    for need in sorted(shipped.needs):
        target = names.get(need)
        if target is None or target not in declared.needs:
            yield "dependency", f"it starts after {need} there, and does not wait for it here: see CALLS in plan.py"
    if shipped.gpus and not declared.gpus:
        yield "gpu", f"a GPU is reserved there, none here: see {field}.gpuCount"
    if shipped.shared_memory_mib > declared.shared_memory_mib:
        sizes = f"{shipped.shared_memory_mib} MiB there, {declared.shared_memory_mib} here"
        yield "shared memory", f"{sizes}: see {field}.sharedMemoryMib"


def _variables(shipped: Shipped, declared: Declared, field: str) -> Iterator[tuple[str, str]]:
    if declared.name in STORES:
        field_of_store = f"a store is not told by variables here: see infra/data/{declared.name}.py"
        known = {variable.removesuffix("_FILE") for variable in declared.environment}
        for variable in sorted(shipped.environment - known):
            yield "environment", f"{variable} is set there; {field_of_store}"
        return
    for variable in sorted(shipped.environment - declared.environment):
        if sounds_secret(variable):
            yield "secret", f"{variable} is set there: name its key in {field}.secretEnvironment"
        else:
            yield "environment", f"{variable} is set there: give it in {field}.environment, if the service needs it"
    for secret in sorted(shipped.secrets):
        yield "secret", f"{secret} is a file of Docker's there: name its key in {field}.secretEnvironment"
    for file in sorted(shipped.unread):
        yield "environment", f"it reads {file}, which was not given: pass it by --env"


def _image(shipped: Shipped, declared: Declared, field: str) -> Iterator[tuple[str, str]]:
    (theirs, their_tag), (own, own_tag) = parts(shipped.image), parts(declared.image)
    if theirs.rpartition("/")[2] != own.rpartition("/")[2]:
        yield "image", f"{theirs} there, {own} here: see {field}.image"
    elif their_tag in FLOATING_TAGS:
        yield "image", f"the tag {their_tag} there may mean another image by now; {own_tag} runs here: mirror it anew?"
    elif not says_as_much(own_tag, their_tag):
        yield "image", f"{their_tag} there, {own_tag} here: mirror it, then see {field}.image"
