"""Do the node, the builders and the pods mean the same registry by its name?"""

import ipaddress
from collections.abc import Iterator

from infra.ci.builder import builder_of
from ops.machine import Finding
from ops.preflight.declared import Declared, walk
from ops.preflight.reader import Machine

DNS_LABEL = "k8s-app=kube-dns"
"""Label of the cluster's DNS service, whoever made it."""
SERVICE = "registry"
"""What the Service of a registry of our own is called."""


def host_of(registry: str) -> str:
    """Return the name in a registry's address, without the port."""
    return registry.partition(":")[0]


def on_this_machine(machine: Machine, declared: Declared, host: str) -> tuple[Finding, str | None]:
    """Ask as the node's containerd and a builder on this machine do; return the address, too."""
    ran = machine.run("getent", "ahostsv4", host)
    address = ran.output.split()[0] if ran.ok and ran.output.split() else None
    return (
        Finding(
            name=f"{host} on the node" if declared.on_this_machine else f"{host} from here",
            ok=address is not None,
            says=address or "it does not resolve, so no image can be pushed or pulled",
            fix=f"sudo python3 -m cluster up writes it on our own node; else add a line to /etc/hosts: ADDRESS {host}"
            if declared.on_this_machine
            else f"have the DNS that this machine asks know {host} (e.g. join the VPN), or correct registry.host",
        ),
        address,
    )


def aliases(declared: Declared, host: str) -> Iterator[str]:
    """Yield the addresses that pods are told for a name by a hostAlias.

    Pods that Jenkins makes are text in its configuration, so they are asked for apart.
    """
    builder = builder_of(declared.stack)
    if builder and host in builder.host_aliases:
        yield builder.host_aliases[host]
    for manifest in declared.manifests():
        for mapping in walk(manifest):
            if host in (mapping.get("hostnames") or ()) and mapping.get("ip"):
                yield str(mapping["ip"])


def in_pods(machine: Machine, declared: Declared, host: str) -> tuple[Finding | None, str | None]:
    """Ask as a builder's pod and Argo CD's do; no finding where no cluster answers."""
    services = machine.kubectl("services", "--namespace", "kube-system", "-l", DNS_LABEL)
    if not services or not services["items"]:
        return None, None
    told = next(aliases(declared, host), None)
    address = told or machine.ask_dns(services["items"][0]["spec"]["clusterIP"], host)
    unusable = address is None or ipaddress.ip_address(address).is_loopback
    says = address or "it does not resolve"
    return (
        Finding(
            name=f"{host} in pods",
            ok=not unusable,
            says=f"{says}: that is the pod itself" if address and unusable else says,
            fix="set registry.server.clusterIp to a free address of the cluster's service range, or give the cluster's "
            f"DNS a `hosts` entry for {host} with the node's address",
        ),
        address,
    )


def of_service(machine: Machine, declared: Declared) -> str | None:
    """Return the address that the cluster gave to the Service of our own registry; None: there is none yet."""
    server = declared.stack.registry.server
    found = machine.kubectl("services", "--namespace", server.namespace) if server else None
    services = (item for item in (found or {"items": ()})["items"] if item["metadata"]["name"] == SERVICE)
    return next((str(item["spec"]["clusterIP"]) for item in services), None)


def same(machine: Machine, declared: Declared, host: str, node: str, pods: str) -> Finding:
    """Judge two addresses of one registry: equal, both of them this machine's own, or this machine and its Service."""
    own = machine.run("hostname", "-I").output.split()
    loopback, server = ipaddress.ip_address(node).is_loopback, declared.stack.registry.server
    service = of_service(machine, declared)
    by_service = server is not None and pods == (service or server.cluster_ip) and (loopback or node in own)
    one = node == pods or by_service or (loopback and pods in own)
    says = f"{node} on the node, {pods} in pods"
    says += f", {service} has Service {SERVICE}" if service and service != pods else ""
    says += "; Image Updater asks the Service" if server and declared.stack.delivery.image_updater else ""
    return Finding(
        name=f"{host} is one",
        ok=one,
        says=says,
        fix=f"lead both to the registry: the node by /etc/hosts, pods by the cluster's DNS or a hostAlias for {host}; "
        f"with registry.server.clusterIp that is the address of Service {SERVICE}, which changes only with a new one",
    )


def looks(machine: Machine, declared: Declared) -> list[Finding]:
    """Return what is to be said about the registry's name."""
    host = host_of(declared.stack.registry.host)
    on_node, node = on_this_machine(machine, declared, host)
    found, pods = in_pods(machine, declared, host) if declared.pods_use_registry else (None, None)
    both = [same(machine, declared, host, node, pods)] if node and pods and found and found.ok else []
    return [on_node, *([found] if found else []), *both]
