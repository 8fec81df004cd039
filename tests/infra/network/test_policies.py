"""Exactly the declared flows are possible."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from infra.cluster import selector
from infra.config import parse
from infra.gitops import declare_workload
from infra.plan import API_SERVER_PORT, INGRESS, Plan, World
from infra.program import plan
from infra.recorder import Recording, record
from infra.stackfile import configuration, placeholder_secrets, stack_names
from policy.pods import SERVERS
from tests.infra.network.reachability import OUTSIDE, Pod, allowed
from tests.infra.support import CANARIES, CONFIGS, config_file, of_kind

FILES = (
    "registry-with-login-and-tls",
    "model-on-a-gpu",
    "vault-and-argocd",
    "login-and-certificates-of-our-own",
    "acme-and-a-retired-controller",
    "aipp-watched-by-the-cluster",
)


@dataclass(frozen=True)
class Installation:
    """A stack, its policies, and the labels of the pods that it declares itself (not through a chart).

    ``served`` are those of them that an Ingress leads to.
    """

    plan: Plan
    policies: list[dict[str, Any]]
    declared_pods: list[Pod]
    served: list[Pod]

    @property
    def ends(self) -> dict[str, Pod]:
        """A pod of each component, and one address for all the world."""
        spaces = self.plan.spaces
        pods = {
            name: Pod(spaces[pods.space].namespace, pods.labels or {"app": f"a part of {name}"})
            for name, pods in self.plan.pods.items()
        }
        return {**pods, World.ANYWHERE: OUTSIDE}

    def is_foreign(self, end: str) -> bool:
        """Whether no policy of ours holds for it."""
        return end in set(World) or not self.plan.spaces[self.plan.pods[end].space].is_this_stacks

    def declared(self) -> set[tuple[str, str, int]]:
        """What the flows allow, as ends of :attr:`ends`; "anywhere" includes every pod that may send or receive."""
        flows = {
            (
                World.ANYWHERE if flow.source in set(World) else flow.source,
                World.ANYWHERE if flow.target in set(World) else flow.target,
                API_SERVER_PORT if flow.target == World.API_SERVER else flow.port,
            )
            for flow in self.plan.flows
        }
        into = {(target, port) for source, target, port in flows if source == World.ANYWHERE}
        out = {(source, port) for source, target, port in flows if target == World.ANYWHERE}
        foreign = [end for end in self.ends if self.is_foreign(end)]
        flows |= {(end, target, port) for end in foreign for target, port in into}
        flows |= {(source, end, port) for end in foreign for source, port in out}
        flows |= {(source, target, port) for source, port in out for target, other in into if port == other}
        return {
            flow for flow in flows if flow[0] != flow[1] and not (self.is_foreign(flow[0]) and self.is_foreign(flow[1]))
        }


@pytest.fixture(scope="module", params=[*FILES, *stack_names()])
def installation(request: pytest.FixtureRequest) -> Installation:
    if request.param in FILES:
        config, secrets = config_file(CONFIGS / "valid" / f"{request.param}.yaml"), CANARIES
    else:
        config, secrets = configuration(request.param), placeholder_secrets()
    stack = parse(config)
    recording = record(declare_workload, stack="test", config=config, secrets=secrets)
    declared = [
        Pod(each.namespace, each.properties["spec"]["template"]["metadata"]["labels"])
        for each in recording.objects()
        if each.kind in {*SERVERS, "Job"}
    ]
    policies = [resource.properties for resource in of_kind(recording, "NetworkPolicy")]
    return Installation(plan(stack), policies, declared, [*_served(recording)])


def _served(recording: Recording) -> Iterator[Pod]:
    """Yield the pods behind each Ingress, as its Service selects them."""
    services = {
        (each.namespace, each.object_name): each.properties["spec"]["selector"]
        for each in of_kind(recording, "Service")
    }
    for ingress in of_kind(recording, "Ingress"):
        for rule in ingress.properties["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                name = path["backend"]["service"]["name"]
                if (ingress.namespace, name) in services:
                    yield Pod(ingress.namespace, services[ingress.namespace, name])


def test_every_declared_pod_is_of_one_component(installation: Installation) -> None:
    planned = [
        (installation.plan.spaces[pods.space].namespace, pods.labels) for pods in installation.plan.pods.values()
    ]
    for pod in installation.declared_pods:
        its = [
            labels
            for namespace, labels in planned
            if namespace == pod.namespace and labels.items() <= pod.labels.items()
        ]
        assert len(its) == 1, pod


def test_only_declared_flows_are_possible(installation: Installation) -> None:
    ends = installation.ends
    ports = {flow.port for flow in installation.plan.flows} | {80, API_SERVER_PORT}
    possible = {
        (source, target, port)
        for source, target, port in product(ends, ends, ports)
        if source != target
        and not (installation.is_foreign(source) and installation.is_foreign(target))
        and allowed(ends[source], ends[target], port, installation.policies)
    }
    assert possible == installation.declared()


def test_anywhere_means_pods_too_where_no_address_is_a_pods(installation: Installation) -> None:
    """Cilium's way: an ``ipBlock`` holds neither pods nor, unless it is told, nodes."""
    somebody = Pod("elsewhere", {"app": "somebody's"})
    policies = [{**each, "spec": _without_addresses(each["spec"])} for each in installation.policies]
    for flow in installation.plan.flows:
        ends = {**installation.ends, World.ANYWHERE: somebody}
        if World.ANYWHERE in (flow.source, flow.target):
            assert allowed(ends[flow.source], ends[flow.target], flow.port, policies), flow


def _without_addresses(spec: dict[str, Any]) -> dict[str, Any]:
    without = dict(spec)
    for field, ends in (("ingress", "from"), ("egress", "to")):
        rules = spec.get(field) or ()
        without[field] = [{**rule, ends: [each for each in rule[ends] if "ipBlock" not in each]} for rule in rules]
    return without


def test_what_an_ingress_leads_to_may_be_called_by_the_controller(installation: Installation) -> None:
    plan = installation.plan
    called = [plan.pods[flow.target] for flow in plan.targets_of(INGRESS) if flow.target not in set(World)]
    for pod in installation.served:
        assert any(
            plan.spaces[pods.space].namespace == pod.namespace and pods.labels.items() <= pod.labels.items()
            for pods in called
        ), pod


def test_names_can_be_resolved_by_every_component(installation: Installation) -> None:
    dns = Pod("kube-system", {"k8s-app": "kube-dns"})
    for name, pod in installation.ends.items():
        assert allowed(pod, dns, 53, installation.policies), name


def test_strangers_reach_nothing(installation: Installation) -> None:
    redis = installation.ends["redis"]
    stranger = Pod(redis.namespace, {**selector("stranger")})
    assert not allowed(stranger, redis, 6379, installation.policies)
    assert not allowed(redis, stranger, 80, installation.policies)
    assert allowed(stranger, redis, 6379, [])


def test_a_foreign_ingress_controller_gets_no_policy_of_ours(installation: Installation) -> None:
    space = installation.plan.spaces[INGRESS]
    ours = [policy for policy in installation.policies if policy["metadata"]["namespace"] == space.namespace]
    assert bool(ours) == space.ours
