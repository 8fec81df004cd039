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

from infra.cluster import labels
from infra.plan import API_SERVER_PORT, Flow, Plan, World

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
    """Space of this stack -> its namespace, known once it is there."""
    plan: Plan
    """Whose pods are where, and who may call whom."""


class Policies(ComponentResource):
    """A default-deny per namespace, and one policy per component that allows its flows."""

    def __init__(self, name: str, args: PoliciesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:network:Policies", name, {}, opts)
        child = ResourceOptions(parent=self)
        for space, namespace in args.namespaces.items():
            k8s.networking.v1.NetworkPolicy(
                f"{name}-{space}-default-deny",
                metadata={"name": "default-deny", "namespace": namespace, "labels": labels("network", "default-deny")},
                spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
                opts=child,
            )
        for component, pods in args.plan.pods.items():
            if pods.space not in args.namespaces:
                continue  # somebody else's, who says what they may do
            k8s.networking.v1.NetworkPolicy(
                f"{name}-{component}",
                metadata={
                    "name": component,
                    "namespace": args.namespaces[pods.space],
                    "labels": labels("network", component),
                },
                spec={
                    "pod_selector": {"match_labels": pods.labels} if pods.labels else {},
                    "policy_types": ["Ingress", "Egress"],
                    "ingress": [_incoming(flow, args.plan) for flow in args.plan.sources_of(component)],
                    "egress": [_DNS, *(_outgoing(flow, args.plan) for flow in args.plan.targets_of(component))],
                },
                opts=child,
            )
        self.register_outputs({})


def _incoming(flow: Flow, plan: Plan) -> NetworkPolicyIngressRuleArgsDict:
    return {"from_": _peers(flow.source, plan), "ports": [{"protocol": "TCP", "port": flow.port}]}


def _outgoing(flow: Flow, plan: Plan) -> NetworkPolicyEgressRuleArgsDict:
    # The API server's pods are no pods: its Service leads to a port of a node.
    port = API_SERVER_PORT if flow.target == World.API_SERVER else flow.port
    return {"to": _peers(flow.target, plan), "ports": [{"protocol": "TCP", "port": port}]}


def _peers(end: str, plan: Plan) -> list[NetworkPolicyPeerArgsDict]:
    if end in set(World):
        addresses: NetworkPolicyPeerArgsDict = {"ip_block": {"cidr": "0.0.0.0/0"}}
        # To Cilium no pod has an address: a block of them means everybody but the cluster's own.
        return [addresses, {"namespace_selector": {}}] if end == World.ANYWHERE else [addresses]
    pods = plan.pods[end]
    namespace: NetworkPolicyPeerArgsDict = {
        "namespace_selector": {"match_labels": {_NAMESPACE_NAME: plan.spaces[pods.space].namespace}}
    }
    return [{**namespace, "pod_selector": {"match_labels": pods.labels}} if pods.labels else namespace]
