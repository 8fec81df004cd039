"""What NetworkPolicies allow, worked out from their text: the node of our own enforces none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Pod:
    """One end of a connection; outside the cluster it has an address only."""

    namespace: str
    labels: Mapping[str, str]


OUTSIDE = Pod("", {})


def allowed(source: Pod, target: Pod, port: int, policies: Sequence[dict[str, Any]]) -> bool:
    """Say whether a TCP connection may be made: the source may send it and the target may receive it."""
    return _may(source, target, port, "Egress", policies) and _may(target, source, port, "Ingress", policies)


def _may(own: Pod, other: Pod, port: int, direction: str, policies: Sequence[dict[str, Any]]) -> bool:
    about = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == own.namespace
        and direction in policy["spec"]["policyTypes"]
        and _selects(policy["spec"]["podSelector"], own.labels)
    ]
    field, ends = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    rules = [rule for spec in about for rule in spec.get(field) or ()]
    return not about or any(
        any(each["port"] == port and each["protocol"] == "TCP" for each in rule["ports"])
        and any(_is(peer, other) for peer in rule[ends])
        for rule in rules
    )


def _is(peer: dict[str, Any], pod: Pod) -> bool:
    if "ipBlock" in peer:
        return bool(peer["ipBlock"]["cidr"] == "0.0.0.0/0")
    in_namespace = _selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": pod.namespace})
    return in_namespace and _selects(peer.get("podSelector", {}), pod.labels)


def _selects(selector: dict[str, Any], labels: Mapping[str, str]) -> bool:
    return bool(selector.get("matchLabels", {}).items() <= labels.items())
