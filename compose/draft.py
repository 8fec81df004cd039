"""A first component for a service that is not declared yet, and its lines elsewhere: for a person to correct."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Template
from textwrap import indent

from compose.draft_settings import copy, section
from compose.names import Names, named
from compose.package import Shipped
from infra.aipp.names import BACKEND, STORES
from infra.config import StackConfig

_COMPONENT = Template('''"""$service: say in one line what it is for."""

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
            WorkloadArgs(
                place=args.place,
                config=args.config,
                steps=tuple(steps.waits(name, args.place)),$more
            ),
            opts=ResourceOptions(parent=self),
        )
        self.url = workload.url
        self.register_outputs({"url": self.url})
''')
_CONFIG = Template('''class ${cls}Config(ServiceConfig):
    """Say in one line what is special about it."""


''')
_CALL = Template("""    ${cls}(
        $constant,
        ${cls}Args(place=place($constant, url), config=config.$module),
        opts=options,
    )
""")
_LAST_CALL = '    Call(source=FRONT, target=BACKEND, reason="pages that are made on the server"),'
_LAST_IMPORT = "from infra.aipp.scheduler import Scheduler, SchedulerArgs"
_LAST_COMPONENT = "    Front(FRONT, FrontArgs(place=place(FRONT, url), config=config.front), opts=options)"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Text that a person pastes."""

    file: str
    """Where it goes."""
    above: str
    """Line of that file which it stands before; empty: it is the whole of a new file."""
    text: str
    """What is pasted."""


def pieces(shipped: Shipped, stack: StackConfig, stack_name: str, names: Mapping[str, str | None]) -> Iterator[Piece]:
    """Yield everything that makes a service of the vendor's one of ours, in the order in which it is best read.

    Args:
        shipped: the service.
        stack: the configuration that it is to be added to.
        stack_name: its name.
        names: service of the vendor's file -> its name here; None: it has none yet.
    """
    its = named(shipped.name, names)
    words = {"service": its.service, "cls": its.cls, "constant": its.constant, "module": its.module}
    targets = [named(need, names) for need in sorted(shipped.needs)]
    # Waiting knows the stores and the backend (infra/aipp/steps); whoever else is called may be away for a while.
    waits = [target.service in (*STORES, BACKEND) for target in targets]
    second = BACKEND in {target.service for target in targets}
    config, room, plan = "infra/config/aipp.py", "infra/aipp/room.py", "infra/aipp/plan.py"
    settings = f"Pulumi.{stack_name}.yaml"
    calls = [_call(its, target, waited) for target, waited in zip(targets, waits, strict=True)]
    for file, above, text in (
        (f"infra/aipp/{its.module}.py", "", _COMPONENT.substitute(words, more=_more(shipped))),
        ("infra/config/aipp_services.py", "class SpringConfig(ServiceConfig):", _CONFIG.substitute(words)),
        (config, "    ServiceConfig,", f"    {its.cls}Config,\n"),
        (config, "    scheduler: SchedulerConfig", f"    {its.module}: {its.cls}Config\n"),
        (config, '            "scheduler": self.scheduler,', f'            "{its.field}": self.{its.module},\n'),
        ("infra/aipp/names.py", "STORES = (PGVECTOR, REDIS, RABBITMQ)", f'{its.constant} = "{its.service}"\n\n'),
        ("infra/aipp/names.py", '    SCHEDULER: "scheduler",', f'    {its.constant}: "{its.field}",\n'),
        (plan, "    SCHEDULER,", f"    {its.constant},\n"),
        (plan, "    FRONT: 4,", f"    {its.constant}: {3 if second else 2},\n"),
        (plan, _LAST_CALL, "".join(calls)),
        (room, _LAST_IMPORT, f"from infra.aipp.{its.module} import {its.cls}, {its.cls}Args\n"),
        (room, "    SCHEDULER,", f"    {its.constant},\n"),
        (room, _LAST_COMPONENT, _CALL.substitute(words)),
        (settings, "    scheduler:", indent(section(shipped, its, stack), " " * 4)),
    ):
        if text:
            yield Piece(file=file, above=above, text=text)
    if stack.registry.vendor:
        above = f"        - source: {stack.registry.vendor.images[-1].source}"
        yield Piece(file=settings, above=above, text=indent(copy(shipped, its), " " * 8))


def whole(shipped: Shipped, stack: StackConfig, stack_name: str, names: Mapping[str, str | None]) -> str:
    """Return all pieces, each with its place."""
    return "\n".join(
        f"# {each.file}, {f'above the line {each.above.strip()}' if each.above else 'a new file'}\n{each.text}"
        for each in pieces(shipped, stack, stack_name, names)
    )


def _more(shipped: Shipped) -> str:
    """Return the arguments of a workload that few have."""
    few = {"gpu_count": abs(shipped.gpus), "shared_memory_mib": shipped.shared_memory_mib}
    return "".join(f"\n                {name}={value}," for name, value in few.items() if value)


def _call(its: Names, target: Names, waited: bool) -> str:
    return (
        f"    Call(source={its.constant}, target={target.constant}, "
        f'reason="say what for"{"" if waited else ", waits=False"}),\n'
    )
