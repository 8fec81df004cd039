"""Rules that compare an object with what the stack's configuration declares: registries, host names, node ports."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.config.hosts import served_hosts
from infra.config.stack import StackConfig
from policy.pods import Manifest, containers, describe


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What a configuration says, as far as rules ask for it."""

    registries: tuple[str, ...]
    """How references of images that may run begin."""
    hosts: frozenset[str]
    """Host names under which something is served."""
    ports: frozenset[int]
    """Ports of every node under which something is served."""


DeclaredRule = Callable[[Manifest, Declared], Iterator[str]]
"""Yields the mistakes of one object."""


def declared_by(stack: StackConfig) -> Declared:
    """Return what a stack declares."""
    registry, controller = stack.registry, stack.network.controller
    # Docker Hub has the official images; `localhost/` are images that were carried to the node.
    registries = ["docker.io", "localhost", registry.host]
    if registry.vendor and not registry.vendor.mirror:
        registries.append(registry.vendor.host)
    ports = {stack.chat.exposure.node_port} | ({controller.http_port, controller.https_port} if controller else set())
    return Declared(
        registries=tuple(f"{host}/" for host in registries),
        hosts=frozenset(host for _, host in served_hosts(stack)),
        ports=frozenset(port for port in ports if port is not None),
    )


def declared_registries(manifest: Manifest, declared: Declared) -> Iterator[str]:
    """Images come from Docker Hub, or from a registry that the stack's configuration names."""
    for container in containers(manifest):
        if not str(container.get("image", "")).startswith(declared.registries):
            yield (
                f"{describe(manifest)}, container {container.get('name')}: its image comes from a registry that the "
                f"stack does not name; allowed are {', '.join(declared.registries)}"
            )


def declared_exposure(manifest: Manifest, declared: Declared) -> Iterator[str]:
    """Nothing is open to the network but the host names and node ports of the stack's configuration."""
    match manifest.get("kind"):
        case "Service":
            yield from _of_service(manifest, declared)
        case "Ingress":
            yield from _of_ingress(manifest, declared)
        case None if "chart" in manifest:
            yield from _of_chart(manifest, declared)


def _of_service(manifest: Manifest, declared: Declared) -> Iterator[str]:
    spec, what = manifest.get("spec") or {}, describe(manifest)
    if spec.get("type") == "LoadBalancer" or spec.get("externalIPs"):
        yield f"{what}: takes an address of its own; use an Ingress, or a node port of the configuration"
    if spec.get("type") == "NodePort":
        for port in spec.get("ports") or ():
            if port.get("nodePort") not in declared.ports:
                yield f"{what}: opens node port {port.get('nodePort', 'of any number')}, which no field names"


def _of_ingress(manifest: Manifest, declared: Declared) -> Iterator[str]:
    spec, what = manifest.get("spec") or {}, describe(manifest)
    if "defaultBackend" in spec:
        yield f"{what}: answers for every name; give it rules with a host"
    for rule in spec.get("rules") or ():
        if rule.get("host") not in declared.hosts:
            yield f"{what}: serves {rule.get('host', 'every host')}, which no field in infra/config/hosts.py names"


def _of_chart(release: Manifest, declared: Declared) -> Iterator[str]:
    """Look at a chart's values: what it makes of them is not known here."""
    what = f"chart {release['chart']}"
    found = list(_values(release.get("values") or {}))
    ports = [value for path, value in found if "nodeport" in "".join(path[-2:])]
    types = {value for _, value in found if isinstance(value, str)}
    if "LoadBalancer" in types:
        yield f"{what}: takes an address of its own; use an Ingress, or a node port of the configuration"
    if "NodePort" in types and not ports:
        yield f"{what}: opens a node port of any number; name it"
    for port in ports:
        if port not in declared.ports:
            yield f"{what}: opens node port {port}, which no field names"
    for path, host in found:
        if "ingress" in path and {"host", "hosts", "hostname"} & {*path} and host not in declared.hosts:
            yield f"{what}: serves {host}, which no field in infra/config/hosts.py names"


def _values(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each plain value with its path, in small letters: charts spell their keys as they like."""
    match value:
        case str():
            yield path, value
        # Not dict and list: in the engine they are views that notice what is not known yet.
        case Mapping():
            for key, each in value.items():
                yield from _values(each, (*path, str(key).lower()))
        case Sequence():
            for each in value:
                yield from _values(each, path)
        case _:
            yield path, value


DECLARED_RULES: tuple[DeclaredRule, ...] = (declared_registries, declared_exposure)
"""Rules about one object and the stack's configuration."""
