"""Exactly the declared flows are possible."""

from itertools import product
from typing import Any

import pytest

from infra.config import StackConfig, parse
from infra.gitops import declare_workload
from infra.network.flows import World, components, flows
from infra.recorder import record
from policy.pods import SERVERS
from tests.infra.network.reachability import OUTSIDE, Pod, allowed
from tests.infra.support import CANARIES, CONFIGS, config_file, of_kind

PORTS = (53, 80, 443, 5000, 6379, 8000, 9090)


@pytest.fixture(scope="module", params=["registry-with-login-and-tls", "model-on-a-gpu", "vault-and-argocd"])
def installation(request: pytest.FixtureRequest) -> tuple[StackConfig, list[dict[str, Any]], dict[str, Pod]]:
    """A stack, its policies, and the ends of all flows."""
    config = config_file(CONFIGS / "valid" / f"{request.param}.yaml")
    stack = parse({key.removeprefix("aihub:"): value for key, value in config.items()})
    recording = record(declare_workload, stack="test", config=config, secrets=CANARIES)
    workloads = [resource for resource in recording.objects() if resource.kind in {*SERVERS, "Job"}]
    pods = {
        template["labels"]["app.kubernetes.io/name"]: Pod(resource.namespace, template["labels"])
        for resource in workloads
        for template in [resource.properties["spec"]["template"]["metadata"]]
    }
    outside = {World.ANYWHERE: OUTSIDE, World.INGRESS: Pod(stack.network.ingress_namespace, {"app": "controller"})}
    policies = [resource.properties for resource in of_kind(recording, "NetworkPolicy")]
    return stack, policies, {**pods, **outside}


def test_table_knows_every_workload(installation: tuple[StackConfig, list[dict[str, Any]], dict[str, Pod]]) -> None:
    stack, _, ends = installation
    assert set(components(stack)) == set(ends) - set(World)


def test_only_declared_flows_are_possible(
    installation: tuple[StackConfig, list[dict[str, Any]], dict[str, Pod]],
) -> None:
    stack, policies, ends = installation
    declared = {(flow.source, flow.target, flow.port) for flow in flows(stack)}
    # "Anywhere" includes the ingress controller, as source and as target.
    declared |= {(World.INGRESS, target, port) for source, target, port in declared if source == World.ANYWHERE}
    declared |= {(source, World.INGRESS, port) for source, target, port in declared if target == World.ANYWHERE}
    possible = {
        (source, target, port)
        for source, target, port in product(ends, ends, PORTS)
        if source != target
        and not (source in set(World) and target in set(World))
        and allowed(ends[source], ends[target], port, policies)
    }
    assert possible == declared


def test_names_can_be_resolved_by_every_component(
    installation: tuple[StackConfig, list[dict[str, Any]], dict[str, Pod]],
) -> None:
    _, policies, ends = installation
    dns = Pod("kube-system", {"k8s-app": "kube-dns"})
    for name, pod in ends.items():
        assert allowed(pod, dns, 53, policies), name


def test_without_its_policies_nothing_would_be_refused(
    installation: tuple[StackConfig, list[dict[str, Any]], dict[str, Pod]],
) -> None:
    _, policies, ends = installation
    stranger = Pod(ends["redis"].namespace, {"app": "stranger"})
    assert not allowed(stranger, ends["redis"], 6379, policies)
    assert not allowed(ends["redis"], stranger, 80, policies)
    assert allowed(stranger, ends["redis"], 6379, [])
