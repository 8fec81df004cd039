"""What makes a node, in order. Each step knows what is left to do, so that ``up`` resumes and ``--dry-run`` tells."""

import dataclasses
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster import NodeError, addons, api, health, hosts, images, packages, preflight
from cluster.certificates import Keys, write_private
from cluster.components import services
from cluster.components.service import Service
from cluster.containers import Containers
from cluster.settings import REGISTRY, Node, builder_registries
from cluster.supervise import supervisor
from toolchain import ToolchainError
from toolchain.ensure import ensure_all, ready
from toolchain.tools import NODE

Say = Callable[[str], None]
HEALTHY_TIMEOUT_SECONDS = 120.0
POLL_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Step:
    """One part of the way to a node that is up."""

    name: str
    pending: Callable[[], list[str]]
    """What is left to do, one line each; empty: nothing. Quick, and changes nothing."""
    act: Callable[[], None]
    """Do it; doing it again does no harm."""


def with_keys(node: Node) -> tuple[Service, ...]:
    """Return the services such that new certificates restart them."""
    certificates = sorted(node.pki.glob("*.crt")) if node.pki.exists() else []
    keys = hashlib.sha256(b"".join(path.read_bytes() for path in certificates)).hexdigest()
    return tuple(dataclasses.replace(service, keys=keys) for service in services(node))


def _install_packages(say: Say) -> None:
    if names := packages.missing():
        say(f"installing {', '.join(names)}")
        packages.install(names)


def _make_tools(say: Say) -> None:
    try:
        ensure_all(NODE, say)
    except ToolchainError as error:
        raise NodeError(str(error), "python3 -m toolchain kubernetes coredns pause") from error


def _write_settings(node: Node) -> None:
    node.log.mkdir(parents=True, exist_ok=True)
    node.volumes.mkdir(mode=0o711, exist_ok=True)
    for file, told in _told(node).items():
        file.write_text(told) if told else file.unlink(missing_ok=True)
    hosts.rewrite(hosts.added(hosts.HOSTS.read_text()))
    node.registries.write_text(_registries(node))


def _told(node: Node) -> dict[Path, str | None]:
    """Return what a person said, by the file that keeps it from one ``up`` to the next."""
    return {node.exposure: node.expose, node.registry_authority: node.registry_ca}


def _registries(node: Node) -> str:
    return builder_registries(None if node.registry_ca else REGISTRY)


def _settings_pending(node: Node) -> list[str]:
    left = [] if hosts.names_registry(hosts.HOSTS.read_text()) else [f"{hosts.HOSTS}: {hosts.LINE}"]
    if not node.registries.exists() or node.registries.read_text() != _registries(node):
        left.append(str(node.registries))
    if node.expose != (node.exposure.read_text() if node.exposure.exists() else None):
        left.append(f"NodePorts on {node.expose or 'loopback only'}")
    if node.registry_ca != (node.registry_authority.read_text() if node.registry_authority.exists() else None):
        left.append(f"the registry by {'TLS' if node.registry_ca else 'plain HTTP'}")
    return left


def _services_pending(node: Node, chosen: Callable[[str], bool]) -> list[str]:
    keeper = supervisor(node)
    left = []
    for service in (service for service in with_keys(node) if chosen(service.name)):
        digest = keeper.running_digest(service.name)
        if digest != service.digest():
            left.append(f"{'start' if digest is None else 'restart'} {service.name}")
        elif trouble := health.trouble(service.health):
            left.append(f"{service.name}: {trouble}")
    return left


def wait_healthy(service: Service, node: Node) -> None:
    """Wait for a service that was started.

    Raises:
        NodeError: it took too long; the message ends with the end of its log.
    """
    deadline = time.monotonic() + HEALTHY_TIMEOUT_SECONDS
    while trouble := health.trouble(service.health):
        if time.monotonic() > deadline:
            raise NodeError(f"{service.name} does not get well: {trouble}", last_words(service.name, node))
        time.sleep(POLL_SECONDS)


def last_words(name: str, node: Node) -> str:
    """Return where a service's log is and how it ends."""
    log = node.log / f"{name}.log"
    if node.host.systemd:
        return f"journalctl -u aihub-{name}"
    lines = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
    return f"see {log}, which ends: " + " | ".join(line[:300] for line in lines)


def _image_mark(reference: str, node: Node) -> Path:
    """Return the file that names the archive from which containerd has an image."""
    return node.state / "images" / reference.replace("/", "_").replace(":", "_")


def _images_pending(node: Node) -> list[str]:
    left = []
    for image in images.node_images():
        mark = _image_mark(image.reference, node)
        try:
            current = mark.exists() and mark.read_text() == images.archive_of(image).name
        except FileNotFoundError:  # its binary is still to be made
            current = False
        if not current:
            left.append(image.reference)
    return left


def _import_images(node: Node, say: Say) -> None:
    for image in images.node_images():
        archive = images.make(image, node, say)
        mark = _image_mark(image.reference, node)
        if not mark.exists() or mark.read_text() != archive.name:
            Containers(node).import_image(archive)
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(archive.name)


def _start(node: Node, chosen: Callable[[str], bool], say: Say) -> None:
    """Start what does not run as it should, all at once, then wait for each to get well."""
    keeper = supervisor(node)
    wanted = [service for service in with_keys(node) if chosen(service.name)]
    if not all(keeper.running_digest(service.name) for service in wanted):
        say(f"waiting for {', '.join(service.name for service in wanted)}")
    for service in wanted:
        for path, text in service.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_private(path, text)
        if keeper.running_digest(service.name) != service.digest():
            keeper.start(service)
    for service in wanted:
        wait_healthy(service, node)


def _addons_mark(node: Node) -> tuple[Path, str]:
    return node.state / "addons.sha256", hashlib.sha256(repr(addons.manifests()).encode()).hexdigest()


def _addons_pending(node: Node) -> list[str]:
    path, digest = _addons_mark(node)
    applied = path.exists() and path.read_text() == digest
    return [] if applied else ["rights, StorageClass, cluster DNS"]


def _apply_addons(node: Node) -> None:
    api.apply_addons(node)
    path, digest = _addons_mark(node)
    path.write_text(digest)


def check_machine(node: Node) -> None:
    """Run the preflight, unless a node is here already.

    Raises:
        NodeError: naming every problem with its fix.
    """
    # What runs already holds its ports and its memory.
    if not supervisor(node).names():
        preflight.check(node)


FIRST = ("containerd", "etcd")
"""What the others need; images are imported as soon as containerd is well, while etcd starts."""


def preparation(say: Say) -> list[Step]:
    """Return the steps that need no Kubernetes binary and so can be done while those are built."""
    return [
        Step(
            name="System packages",
            pending=packages.missing,
            act=lambda: _install_packages(say),
        ),
        Step(
            name="Base image",
            pending=lambda: [] if images.base_is_ready() else [images.BASE_IMAGE],
            act=lambda: images.make_base(say),
        ),
    ]


def installation(node: Node, say: Say) -> list[Step]:
    """Return the steps from binaries to a cluster that answers."""
    return [
        Step(
            name="Kubernetes binaries",
            pending=lambda: [f"{tool.name} {tool.version}" for tool in NODE if not ready(tool)],
            act=lambda: _make_tools(say),
        ),
        Step(name="Settings", pending=lambda: _settings_pending(node), act=lambda: _write_settings(node)),
        Step(name="Keys", pending=Keys(node).due, act=lambda: say(f"made {len(Keys(node).ensure())} keys and files")),
        Step(
            name="containerd and etcd",
            pending=lambda: _services_pending(node, FIRST.__contains__),
            act=lambda: _start(node, FIRST.__contains__, say),
        ),
        Step(name="Node images", pending=lambda: _images_pending(node), act=lambda: _import_images(node, say)),
        Step(
            name="Kubernetes",
            pending=lambda: _services_pending(node, lambda name: name not in FIRST),
            act=lambda: _start(node, lambda name: name not in FIRST, say),
        ),
        Step(name="Addons", pending=lambda: _addons_pending(node), act=lambda: _apply_addons(node)),
        Step(
            name="Node ready",
            pending=lambda: [trouble] if (trouble := api.not_ready(node)) else [],
            act=lambda: api.wait_ready(node, say),
        ),
    ]
