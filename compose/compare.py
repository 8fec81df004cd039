"""What differs between the vendor's file and what is declared, one line each, with the place of the change."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic.alias_generators import to_snake

from compose.declared import FIELD_OF, IMAGE_OF, Declared
from compose.fields import what_of
from compose.names import named
from compose.package import Shipped
from infra.aipp.names import STORES
from infra.config.aipp import AippConfig
from infra.config.types import is_floating


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that differs."""

    service: str
    """Whose it is: our name for it, or the vendor's where we have none."""
    what: str
    """image, port, environment, secret, volume, file, dependency, gpu, replicas, memory, cpu, shared memory, refused,
    setting, or service."""
    says: str
    """What the vendor has, what we have, and where to change it."""


def ours(shipped: Shipped) -> str | None:
    """Return our name of the vendor's service: by its image, else by its name; None: we have none."""
    last, _ = parts(shipped.image)
    by_name = FIELD_OF.keys() & {shipped.name, named(shipped.name, {}).service}
    return IMAGE_OF.get(last.rpartition("/")[2]) or next(iter(by_name), None)


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
            pairs = [*_service(each, declared[name], names), *_not_compared(each, name)]
            found += [Difference(service=name, what=what, says=says) for what, says in pairs]
        elif name:
            left_out = "is in the file and left out here: raise aipp.linker.gpuCount where there is a GPU"
            found.append(Difference(service=name, what="service", says=left_out))
        else:
            pairs = [("service", "is new: DRAFT=1 writes a first component for it"), *_not_compared(each, None)]
            found += [Difference(service=each.name, what=what, says=says) for what, says in pairs]
    for name in sorted(set(declared) - {name for name in names.values() if name}):
        found.append(Difference(service=name, what="service", says="is declared here, and in the file no more"))
    return found


def says_as_much(own: str, theirs: str) -> bool:
    """Say whether our tag is theirs or says it more exactly: 0.8.1-pg17 for pg17, 7.4.2-bookworm for 7."""
    parts_of_own = own.split("-")
    return all(any(f"{have}.".startswith(f"{part}.") for have in parts_of_own) for part in theirs.split("-"))


def _not_compared(shipped: Shipped, name: str | None) -> Iterator[tuple[str, str]]:
    """Yield what no pod here gets, and what is set there and not read."""
    yield from (("refused", text) for text in shipped.refused)
    for field in sorted(shipped.fields):
        if name in STORES:
            yield "setting", f"{field} is set there: check that {_code(name)} does the same"
        else:
            section = FIELD_OF[name] if name else named(shipped.name, {}).field
            yield "setting", what_of(field, f"aipp.{section}")


def _place(service: str, key: str) -> str:
    """Return where something is changed: the field, or where there is none the code."""
    section = AippConfig.model_fields[to_snake(FIELD_OF[service])].annotation
    if section and key in {field.alias for field in section.model_fields.values()}:
        return f"aipp.{FIELD_OF[service]}.{key}"
    return _code(service)


def _code(service: str) -> str:
    module = service.removeprefix("enai-").replace("-", "_")
    return f"infra/{'data' if service in STORES else 'aipp'}/{module}.py"


def _service(shipped: Shipped, declared: Declared, names: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    name = declared.name
    yield from _image(shipped, declared)
    for port in sorted(shipped.ports - declared.ports):
        has = ", ".join(map(str, sorted(declared.ports)))
        yield "port", f"{port} is opened there, {has} here: see {_place(name, 'port')}"
    yield from _variables(shipped, declared)
    yield from _paths(shipped, declared)
    for need in sorted(shipped.needs):
        target = names.get(need)
        if target is None or target not in declared.needs:
            yield "dependency", f"it starts after {need} there, and does not wait for it here: see CALLS in plan.py"
    if shipped.gpus and not declared.gpus:
        yield "gpu", f"a GPU is reserved there, none here: see {_place(name, 'gpuCount')}"
    for what, unit, theirs, own, key in (
        ("memory", " MiB", shipped.memory_mib, declared.memory_mib, "memoryMib"),
        ("cpu", " thousandths", shipped.cpu_millicores, declared.cpu_millicores, "cpuMillicores"),
        ("shared memory", " MiB", shipped.shared_memory_mib, declared.shared_memory_mib, "sharedMemoryMib"),
        ("replicas", "", shipped.replicas, declared.replicas, "replicas"),
    ):
        if theirs > own:
            yield what, f"{theirs}{unit} there, {own} here: see {_place(name, key)}"


def _paths(shipped: Shipped, declared: Declared) -> Iterator[tuple[str, str]]:
    for path in sorted(shipped.volumes - declared.volumes):
        if not any(path.startswith(f"{other}/") or other.startswith(f"{path}/") for other in declared.volumes):
            yield "volume", f"{path} is kept there and not here: give it a claim in {_place(declared.name, 'volumes')}"
    for path in sorted(shipped.scratch - declared.volumes - {"/tmp"}):  # noqa: S108 - every pod here has its own
        yield "volume", f"{path} is written to there, in memory: see {_place(declared.name, 'writableFolders')}"
    for path in sorted(shipped.files):
        yield "file", f"{path} is mounted there: check that what it does is done here"


def _variables(shipped: Shipped, declared: Declared) -> Iterator[tuple[str, str]]:
    own = declared.environment.keys()
    if declared.name in STORES:
        known = {variable.removesuffix("_FILE") for variable in own}
        for variable in sorted(shipped.environment.keys() - known):
            yield "environment", f"{variable} is set there; stores are told otherwise here: see {_code(declared.name)}"
        return
    field = f"aipp.{FIELD_OF[declared.name]}"
    for variable in sorted(shipped.environment.keys() - own):
        if variable in shipped.secret:
            yield "secret", f"{variable} is set there: name its key in {field}.secretEnvironment"
        else:
            yield "environment", f"{variable} is set there: give it in {field}.environment, if the service needs it"
    yield from _values(shipped, declared)
    for secret in sorted(shipped.secrets):
        yield "secret", f"{secret} is a file of Docker's there: name its key in {field}.secretEnvironment"
    for file in sorted(shipped.unread):
        yield "environment", f"it reads {file}, which was not given: put it beside the Compose file"


def _values(shipped: Shipped, declared: Declared) -> Iterator[tuple[str, str]]:
    """Yield whose values differ, and what the vendor has dropped of what the stack's file took over from him."""
    both = shipped.environment.keys() & declared.environment.keys()
    marks = {name: (shipped.environment[name], declared.environment[name]) for name in both}
    differ = {name for name, (theirs, own) in marks.items() if theirs and own and theirs != own}
    for variable in sorted(differ & declared.configured.keys()):
        yield "environment", f"{variable} has another value there: see {declared.configured[variable]}"
    if made_here := ", ".join(sorted(differ - declared.configured.keys())):
        yield "environment", f"{made_here}: another value there than {_code(declared.name)} gives: do both fit?"
    if shipped.unread:
        return  # what stands there is not known
    for variable in sorted(declared.configured.keys() - shipped.environment.keys()):
        yield "environment", f"{variable} is set in {declared.configured[variable]}, and there no more"


def _image(shipped: Shipped, declared: Declared) -> Iterator[tuple[str, str]]:
    field = f"aipp.{FIELD_OF[declared.name]}"
    (theirs, their_tag), (own, own_tag) = parts(shipped.image), parts(declared.image)
    if theirs.rpartition("/")[2] != own.rpartition("/")[2]:
        yield "image", f"{theirs} there, {own} here: see {field}.image"
    elif is_floating(their_tag):
        yield "image", f"the tag {their_tag} there may mean another image by now; {own_tag} runs here: mirror it anew?"
    elif not says_as_much(own_tag, their_tag):
        yield "image", f"{their_tag} there, {own_tag} here: mirror it, then see {field}.image"
