"""NetworkPolicies: nothing may talk, and then exactly the declared flows may."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, ResourceOptions
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicyEgressRuleArgsDict,
    NetworkPolicyIngressRuleArgsDict,
    NetworkPolicyPeerArgsDict,
)

from infra.cluster import labels, selector
from infra.network.flows import Flow, World, sources_of, targets_of

_NAMESPACE_NAME = "kubernetes.io/metadata.name"
_DNS: NetworkPolicyEgressRuleArgsDict = {
    "to": [{"namespace_selector": {"match_labels": {_NAMESPACE_NAME: "kube-system"}}}],
    # 8053 beside 53: a policy sees the pod's port, and a DNS server without capabilities listens above 1024.
    "ports": [{"protocol": protocol, "port": port} for port in (53, 8053) for protocol in ("UDP", "TCP")],
}


@dataclass(frozen=True, kw_only=True)
class PoliciesArgs:
    """What :class:`Policies` needs from its caller."""

    namespaces: Mapping[str, Input[str]]
    """Room -> its namespace."""
    components: Mapping[str, str]
    """Component -> its room."""
    flows: tuple[Flow, ...]
    """Who may call whom."""
    ingress_namespace: str
    """Namespace of the ingress controller's pods."""


class Policies(ComponentResource):
    """A default-deny per namespace, and one policy per component that allows its flows."""

    def __init__(self, name: str, args: PoliciesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:network:Policies", name, {}, opts)
        child = ResourceOptions(parent=self)
        for room, namespace in args.namespaces.items():
            k8s.networking.v1.NetworkPolicy(
                f"{name}-{room}-default-deny",
                metadata={"name": "default-deny", "namespace": namespace, "labels": labels("network", "default-deny")},
                spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
                opts=child,
            )
        for component, room in args.components.items():
            k8s.networking.v1.NetworkPolicy(
                f"{name}-{component}",
                metadata={
                    "name": component,
                    "namespace": args.namespaces[room],
                    "labels": labels("network", component),
                },
                spec={
                    "pod_selector": {"match_labels": selector(component)},
                    "policy_types": ["Ingress", "Egress"],
                    "ingress": [_incoming(flow, args) for flow in sources_of(component, args.flows)],
                    "egress": [_DNS, *(_outgoing(flow, args) for flow in targets_of(component, args.flows))],
                },
                opts=child,
            )
        self.register_outputs({})


def _incoming(flow: Flow, args: PoliciesArgs) -> NetworkPolicyIngressRuleArgsDict:
    return {"from_": [_peer(flow.source, args)], "ports": [{"protocol": "TCP", "port": flow.port}]}


def _outgoing(flow: Flow, args: PoliciesArgs) -> NetworkPolicyEgressRuleArgsDict:
    return {"to": [_peer(flow.target, args)], "ports": [{"protocol": "TCP", "port": flow.port}]}


def _peer(end: str, args: PoliciesArgs) -> NetworkPolicyPeerArgsDict:
    match end:
        case World.ANYWHERE:
            return {"ip_block": {"cidr": "0.0.0.0/0"}}
        case World.INGRESS:
            return {"namespace_selector": {"match_labels": {_NAMESPACE_NAME: args.ingress_namespace}}}
        case _:
            return {
                "namespace_selector": {"match_labels": {_NAMESPACE_NAME: args.namespaces[args.components[end]]}},
                "pod_selector": {"match_labels": selector(end)},
            }
