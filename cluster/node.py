"""The node as others see it: ``prepare``, ``up``, ``down``, ``status``, ``reset``."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster import NodeError, api, cleanup, health, hosts, images, packages, preflight, rules, settings, steps
from cluster.components import services
from cluster.containers import Containers
from cluster.lock import locked
from cluster.settings import Node
from cluster.steps import Say, Step
from cluster.supervise import supervisor

GRACE_SECONDS = 20.0
"""How long containers may take to end by themselves."""


@dataclass(frozen=True, kw_only=True)
class State:
    """How one part of the node is."""

    name: str
    ok: bool
    says: str


def _demand_root() -> None:
    if problems := preflight.root():
        raise NodeError(problems[0].what, problems[0].fix)


def _do(todo: list[Step], say: Say) -> None:
    """Do what is pending, step by step, with the time of each."""
    for step in todo:
        if not step.pending():
            continue
        begun = time.monotonic()
        say(f"{step.name} ...")
        step.act()
        say(f"{step.name}: {time.monotonic() - begun:.1f} s")


def plan(node: Node | None = None) -> list[str]:
    """Return what ``up`` would do now, one line each; changes nothing.

    Raises:
        NodeError: no root, or a problem that preflight found.
    """
    _demand_root()
    node = node or settings.load()
    steps.check_machine(node)
    todo = [*steps.preparation(print), *steps.installation(node, print)]
    return [f"{step.name}: {line}" for step in todo for line in step.pending()]


def check() -> None:
    """Look whether this machine can carry the node; nothing is changed.

    Raises:
        NodeError: no root, or every problem that preflight found, each with its fix.
    """
    _demand_root()
    steps.check_machine(settings.load())


def prepare(say: Callable[[str], None]) -> None:
    """Do the part of ``up`` that needs no Kubernetes binary: system packages and the base image.

    Raises:
        NodeError: no root, a problem that preflight found, or a step that failed.
    """
    _demand_root()
    with locked():
        node = settings.load()
        steps.check_machine(node)
        _do(steps.preparation(say), say)


def up(say: Callable[[str], None], expose: str | None = None, registry_ca: str | None = None) -> None:
    """Bring the node up, from wherever it is; nothing is done when it is up.

    Args:
        say: told each step, what it waits for, and its time.
        expose: CIDR of the machine's addresses on which NodePorts answer besides loopback; ``none`` takes an earlier
            one back; None leaves it as it is.
        registry_ca: certificate of the authority that signed the registry's; ``none`` and None: likewise.

    Raises:
        NodeError: no root, a problem that preflight found, or a step that failed. The next ``up`` goes on from there.
    """
    _demand_root()
    with locked():
        node = settings.load(expose, registry_ca)
        steps.check_machine(node)
        _do([*steps.preparation(say), *steps.installation(node, say)], say)
        say(f"node {settings.NAME} is up: export KUBECONFIG={node.kubeconfig}")


def _end_containers(node: Node, say: Say) -> None:
    """End the pods; a containerd that crashed is started for it, as only it knows them."""
    keeper = supervisor(node)
    containerd = next(service for service in steps.with_keys(node) if service.name == "containerd")
    if not node.run.exists() or not Path(containerd.argv[0]).exists():
        return
    if health.trouble(containerd.health):
        if not (node.config / "containerd.toml").exists():
            return
        keeper.start(containerd)
        steps.wait_healthy(containerd, node)
    containers = Containers(node)
    namespaces = list(containers.network_namespaces())
    say(f"ending the containers of {len(set(namespaces))} pods")
    containers.end_all(GRACE_SECONDS)
    cleanup.remove_network_namespaces(set(namespaces))


def _down(node: Node, say: Say) -> None:
    keeper = supervisor(node)
    # kubelet first, for it would start again what we end; then the pods, for their watches keep the API server waiting.
    keeper.stop("kubelet")
    _end_containers(node, say)
    order = [service.name for service in reversed(services(node))]
    for name in sorted(keeper.names(), key=lambda name: order.index(name) if name in order else 0):
        say(f"stopping {name}")
        keeper.stop(name)
    cleanup.unmount(node)
    cleanup.remove_bridge()
    rules.remove()
    cleanup.remove_control_groups()
    shutil.rmtree(node.run, ignore_errors=True)


def down(say: Callable[[str], None]) -> None:
    """End every process the node started and take back what it left in the kernel; its data stay.

    Raises:
        NodeError: no root, or containerd does not end its containers.
    """
    _demand_root()
    with locked():
        _down(settings.load(), say)
    say("node is down; its data are kept (sudo python3 -m cluster reset removes them)")


def reset(say: Callable[[str], None]) -> None:
    """Take the node down and remove everything it made, volumes included; system packages stay and are listed.

    Raises:
        NodeError: no root, or the node does not go down.
    """
    _demand_root()
    with locked():
        node = settings.load()
        _down(node, say)
        images.forget()
        hosts.rewrite(hosts.removed(hosts.HOSTS.read_text()))
        cleanup.remove_elsewhere(node)
        cleanup.remove_folder(node.state)
    left = [name for name in packages.PACKAGES if name not in packages.missing()]
    say(f"removed {node.state}, {node.run}, our line in {hosts.HOSTS} and our images in buildah")
    say(f"left: system packages ({' '.join(left)}), the cache of downloads and archives,")
    say("and, until the machine starts anew, the kernel's forwarding of packets (net.ipv4.ip_forward=1)")


def status(node: Node | None = None) -> list[State]:
    """Return how each service is, and the cluster as a whole last; needs root to see the sockets and keys."""
    _demand_root()
    node = node or settings.load()
    keeper = supervisor(node)
    found = []
    for service in services(node):
        runs = keeper.running_digest(service.name) is not None
        trouble = health.trouble(service.health) if runs else "does not run"
        found.append(State(name=service.name, ok=trouble is None, says=trouble or "well"))
    trouble = api.not_ready(node) if all(state.ok for state in found) else "not all services are well"
    return [*found, State(name="cluster", ok=trouble is None, says=trouble or "node ready, DNS answers")]
