"""A first component for a service that is not declared yet, to be read and corrected by a person."""

import re
from string import Template

from compose.compare import parts
from compose.package import Shipped
from infra.config.aipp_services import sounds_secret

_COMPONENT = Template('''"""$name: say in one line what it is for."""

from dataclasses import dataclass

from pulumi import ComponentResource, Output, ResourceOptions

from infra.aipp import steps
from infra.aipp.place import Place
from infra.aipp.workload import Workload, WorkloadArgs
from infra.config.aipp_services import ${cls}Config


@dataclass(frozen=True, kw_only=True)
class ${cls}Args:
    """What a :class:`$cls` needs from its caller."""

    place: Place
    """Where it runs, and whom it finds there."""
    config: ${cls}Config
    """Its section of the configuration."""


class $cls(ComponentResource):
    """One pod; say here what is special about it."""

    url: Output[str]
    """Base URL inside the cluster."""

    def __init__(self, name: str, args: ${cls}Args, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:aipp:$cls", name, {}, opts)
        workload = Workload(
            name,
            WorkloadArgs(place=args.place, config=args.config, steps=tuple(steps.waits(name, args.place))$gpu),
            opts=ResourceOptions(parent=self),
        )
        self.url = workload.url
        self.register_outputs({"url": self.url})
''')


def class_name(service: str) -> str:
    """Return the name of a service's class."""
    return "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", service.removeprefix("enai-")) if word)


def component(shipped: Shipped) -> str:
    """Return the text of the service's file in `infra/aipp/`."""
    gpu = f", gpu_count={abs(shipped.gpus)}" if shipped.gpus else ""
    return _COMPONENT.substitute(name=shipped.name, cls=class_name(shipped.name), gpu=gpu)


def section(shipped: Shipped, registry: str) -> str:
    """Return its section of the configuration, as YAML; variables by name only, since a value may be a secret.

    Args:
        shipped: the service.
        registry: where the mirrored images lie, e.g. ``harbor.example.com/aipp``.
    """
    cls = class_name(shipped.name)
    name, tag = parts(shipped.image)
    lines = [f"{cls[0].lower()}{cls[1:]}:", f"  image: {registry}/{name.rpartition('/')[2]}:{tag}"]
    if shipped.ports:
        lines.append(f"  port: {min(shipped.ports)}")
    plain = sorted(each for each in shipped.environment if not sounds_secret(each))
    secret = sorted(each for each in shipped.environment if sounds_secret(each))
    if plain:
        lines += ["  environment: # the values stand in the vendor's file"]
        lines += [f'    {each}: ""' for each in plain]
    if secret:
        lines += ["  secretEnvironment: # variable -> key of the secret"]
        lines += [f"    {each}: {_key(each)}" for each in secret]
    if shipped.volumes:
        lines += ["  volumes: # what need not be kept goes to writableFolders"]
        lines += [f"    {path.rpartition('/')[2]}: {{folder: {path}}}" for path in sorted(shipped.volumes)]
    return "\n".join(lines) + "\n"


def calls(shipped: Shipped) -> str:
    """Return its lines for CALLS in `infra/aipp/plan.py`."""
    source = class_name(shipped.name).upper()
    return "".join(
        f'    Call(source={source}, target={need.removeprefix("enai-").replace("-", "_").upper()}, reason="..."),\n'
        for need in sorted(shipped.needs)
    )


def whole(shipped: Shipped, registry: str) -> str:
    """Return everything that a person pastes, each with its place."""
    module = class_name(shipped.name).lower()
    return "\n".join(
        [
            f"# infra/aipp/{module}.py",
            component(shipped),
            f"# infra/config/aipp_services.py: class {class_name(shipped.name)}Config(ServiceConfig), a field of aipp",
            "# Pulumi.<stack>.yaml, below aihub:aipp",
            section(shipped, registry),
            "# infra/aipp/plan.py: its wave in WAVES, its name in names.py, and below CALLS",
            calls(shipped),
        ]
    )


def _key(variable: str) -> str:
    first, *rest = variable.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)
