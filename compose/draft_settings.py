"""What a service that is not declared yet needs in the stack's file."""

import re

from compose.compare import parts
from compose.names import Names
from compose.package import Shipped
from infra.config import StackConfig
from infra.config.types import is_floating

_NAME_A_VERSION = " # name a version: the tag there may mean another image tomorrow"


def _image(shipped: Shipped, its: Names) -> tuple[str, str]:
    """Return the name of its image, and the tag or digest that pins it; none where the file's tag may move."""
    name, tag = parts(shipped.image)
    digest = shipped.image.partition("@")[2]
    pin = "" if is_floating(tag) else f":{tag}"
    return name or its.service.removeprefix("enai-"), f"{pin}@{digest}" if digest else pin


def section(shipped: Shipped, its: Names, stack: StackConfig) -> str:
    """Return its section of the configuration; variables by name only, since a value may be a secret."""
    name, pin = _image(shipped, its)
    registry = parts(stack.aipp.backend.image)[0].rpartition("/")[0] if stack.aipp else stack.registry.host
    lines = [f"{its.field}:", f"  image: {registry}/{name.rpartition('/')[2]}{pin or _NAME_A_VERSION}"]
    if shipped.ports:
        allowed = [port for port in sorted(shipped.ports) if port >= 1024]
        lines.append(f"  port: {allowed[0]}" if allowed else "  port: 8080 # from 1024: have the image listen there")
    sizes = {"cpuMillicores": shipped.cpu_millicores, "memoryMib": shipped.memory_mib}
    lines += [f"  {field}: {value}" for field, value in sizes.items() if value]
    if plain := sorted(shipped.environment.keys() - shipped.secret):
        lines += ["  environment: # the values stand in the vendor's file"]
        lines += [f'    {each}: ""' for each in plain]
    if shipped.secret:
        lines += ["  secretEnvironment: # variable -> key of the secret"]
        lines += [f"    {each}: {_key(each)}" for each in sorted(shipped.secret)]
    if folders := sorted(shipped.scratch - {"/tmp"}):  # noqa: S108 - every pod has its own
        lines += ["  writableFolders:", *(f"    - {folder}" for folder in folders)]
    if shipped.volumes:
        lines += ["  volumes: # what need not be kept goes to writableFolders"]
        lines += [f"    {_label(path)}: {{folder: {path}}}" for path in sorted(shipped.volumes)]
    return "\n".join(lines) + "\n"


def copy(shipped: Shipped, its: Names) -> str:
    """Return the copy of its image, as an entry of ``registry.vendor.images``."""
    name, pin = _image(shipped, its)
    path = re.sub(r"^[^/]*[.:][^/]*/", "", name)
    digest = shipped.image.partition("@")[2]
    source = f"{path}:{parts(shipped.image)[1]}{f'@{digest}' if digest else ''}"
    version = pin.partition("@")[0]
    target = f"aipp/{name.rpartition('/')[2]}{version or _NAME_A_VERSION}"
    return f"- source: {source}\n  target: {target}\n"


def _label(path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")


def _key(variable: str) -> str:
    first, *rest = variable.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)
