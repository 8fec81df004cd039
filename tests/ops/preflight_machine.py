"""A machine that gives recorded answers."""

from dataclasses import dataclass, field
from typing import Any

from infra.config import parse
from infra.plan import Flow, Plan, Pods, Space
from infra.recorder import Recorded, Recording
from ops.access import NODE_CONTEXT
from ops.preflight.declared import Declared
from ops.preflight.reader import Ran

WSL = (
    "Linux version 5.15.167.4-microsoft-standard-WSL2 (root@f9c826d3017f) (gcc (GCC) 11.2.0, GNU ld (GNU Binutils) "
    "2.37) #1 SMP Tue Nov 5 00:21:55 UTC 2024"
)


@dataclass
class Answers:
    """What a machine said, by question; anything not recorded is not there."""

    files: dict[str, str] = field(default_factory=dict)
    commands: dict[str, Ran] = field(default_factory=dict)
    cluster: dict[str, list[dict[str, Any]]] | None = None
    """Kind -> items; None: no cluster answers."""
    names: dict[str, str] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)

    def read(self, path: str) -> str | None:
        return self.files.get(path)

    def run(self, *argv: str) -> Ran:
        found = (self.commands[line] for line in (" ".join(argv), argv[0]) if line in self.commands)
        return next(found, Ran(127, "", f"{argv[0]}: not found"))

    def kubectl(self, *arguments: str) -> dict[str, Any] | None:
        return None if self.cluster is None else {"items": self.cluster.get(arguments[0], [])}

    def ask_dns(self, server: str, name: str) -> str | None:
        return self.names.get(name)

    def is_free(self, port: int) -> bool:
        return port not in self.taken


def stack(*resources: Recorded, flows: tuple[Flow, ...] = (), **rooms: Any) -> Declared:
    """Return a stack of these rooms and resources, in namespaces ``chat`` and ``data``, on a node of our own."""
    whole = {
        "cluster": {"context": NODE_CONTEXT},
        "storage": {"class": "folders"},
        "registry": {"host": "registry.local:5000", "baseImage": "localhost/aihub/base:bookworm"},
        "chat": {"exposure": {"nodePort": 31302}},
        **rooms,
    }
    spaces = {name: Space(namespace=name) for name in ("chat", "data")}
    pods = {name: Pods(space="chat") for name in ("builder", "registry")}
    return Declared(
        name="test",
        stack=parse(whole),
        recording=Recording(resources=list(resources), outputs={}),
        plan=Plan(spaces=spaces, pods=pods, flows=flows),
    )


def resource(kind: str, name: str, **properties: Any) -> Recorded:
    """Return an object of room ``chat``; ``Release`` makes a chart's release."""
    token = "kubernetes:helm.sh/v3:Release" if kind == "Release" else f"kubernetes:apps/v1:{kind}"
    own = {"name": name} if kind == "Release" else {"kind": kind, "metadata": {"name": name, "namespace": "chat"}}
    return Recorded(
        type=token,
        name=name,
        urn=f"urn:{kind}:{name}",
        parent="",
        custom=True,
        properties={**own, **properties},
        retained=False,
        depends_on=(),
    )
