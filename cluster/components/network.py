"""The pods' network: one bridge on this machine."""

import json

from cluster.settings import BRIDGE, NAME, NODE_ADDRESS, POD_CIDR, SERVICE_CIDR, Node


def conflist(node: Node) -> str:
    """Return the CNI configuration list: bridge, host ports, and the firewall rules that let pods be forwarded."""
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": POD_CIDR, "gateway": NODE_ADDRESS}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            # Addresses given before a reboot are free after it.
            "dataDir": str(node.run / "cni"),
        },
    }
    plugins = [
        bridge,
        {"type": "portmap", "capabilities": {"portMappings": True}},
        # Docker sets the FORWARD policy to DROP; this accepts each pod's address by name.
        {"type": "firewall", "backend": "iptables"},
    ]
    return json.dumps({"cniVersion": "0.4.0", "name": NAME, "plugins": plugins}, indent=1) + "\n"


def guard() -> tuple[str, ...]:
    """Return the iptables rule that hides the node's address from the network.

    Linux answers for every address it has on every interface, so a neighbour with a route to the pods' network could
    reach kubelet and API server (which would still ask for a certificate).
    """
    return ("INPUT", "-d", NODE_ADDRESS, "!", "-i", BRIDGE, "-m", "addrtype", "!", "--src-type", "LOCAL", "-j", "DROP")


def prepare_network() -> tuple[tuple[str, ...], ...]:
    """Return the commands that make sure of the bridge, its address, forwarding and the guard."""
    length = POD_CIDR.rpartition("/")[2]
    return (
        ("modprobe", "-a", "overlay", "br_netfilter"),
        ("sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1"),
        ("ip", "link", "add", BRIDGE, "type", "bridge"),
        ("ip", "address", "replace", f"{NODE_ADDRESS}/{length}", "dev", BRIDGE),
        ("ip", "link", "set", BRIDGE, "up"),
        # kube-proxy rewrites what is on its way somewhere: a machine without any network has no way to a service.
        ("ip", "route", "replace", SERVICE_CIDR, "dev", BRIDGE),
        ("iptables", "-w", "-D", *guard()),
        ("iptables", "-w", "-I", *guard()),
    )
