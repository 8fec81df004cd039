"""The rooms' plans become one, and what cannot be one is refused."""

import re
from typing import Any

import pytest

from infra.config import ConfigError, parse
from infra.plan import Flow, Plan, Pods, Space, World, merged, shared_namespaces
from infra.program import plan
from infra.stackfile import configuration, stack_of
from tests.infra.support import CONFIGS, config_file

ONE = Plan(spaces={"one": Space(namespace="one")}, pods={"a": Pods(space="one")})


def test_a_flow_must_end_somewhere() -> None:
    flow = Flow(source="a", target="nobody", port=1, reason="")
    with pytest.raises(ValueError, match=r"a -> nobody: no room declares 'nobody'"):
        merged([ONE, Plan(flows=(flow,))])
    assert merged([ONE, Plan(flows=(Flow(source="a", target=World.ANYWHERE, port=1, reason=""),))]).flows


def test_no_name_is_used_twice_and_pods_are_in_a_space() -> None:
    with pytest.raises(ValueError, match="space one is declared by two rooms"):
        merged([ONE, Plan(spaces={"one": Space(namespace="other")})])
    with pytest.raises(ValueError, match=r"component b is in space 'two'"):
        merged([ONE, Plan(pods={"b": Pods(space="two")})])


def test_a_namespace_of_ours_is_shared_with_nobody() -> None:
    stack = stack_of("local")
    theirs = Space(namespace="theirs", ours=False)
    assert shared_namespaces(stack, Plan(spaces={"a": theirs, "b": theirs})) == []
    (problem,) = shared_namespaces(stack, Plan(spaces={"a": theirs, "b": Space(namespace="theirs")}))
    assert problem.startswith("namespace theirs would hold a and b: give each one of its own")


@pytest.mark.parametrize("delivery", ["pulumi", "argocd"])
@pytest.mark.parametrize(
    ("room", "namespace", "problem"),
    [
        ("aipp", "default", "namespace default is Kubernetes' own, and aipp would close it for others"),
        ("data", "kube-public", "namespace kube-public is Kubernetes' own, and data would close it for others"),
        ("aipp", "kube-system", "namespace kube-system would hold ingress and aipp"),
        ("aipp", "longhorn-system", "namespace longhorn-system would hold storage and aipp"),
        ("aipp", "monitoring", "namespace monitoring would hold aipp and observability"),
        ("chat", "opentelemetry", "namespace opentelemetry would hold chat and collector"),
        ("chat", "argocd", "namespace argocd would hold chat and argocd"),
        ("aipp", "aihub-chat", "namespace aihub-chat would hold chat and aipp"),
    ],
)
def test_no_part_takes_a_namespace_that_is_others(room: str, namespace: str, problem: str, delivery: str) -> None:
    """Whoever makes it: with it come a closed network and restricted pods."""
    rooms: dict[str, Any] = {key.removeprefix("aihub:"): value for key, value in configuration("dev").items()}
    rooms["aipp"] = {**rooms["aipp"], "delivery": delivery}
    rooms[room] = {**rooms[room], "namespace": namespace}
    with pytest.raises(ConfigError, match=problem):
        plan(parse(rooms))


@pytest.mark.parametrize(
    ("rooms", "problem"),
    [
        (
            {"network": {"ingressNamespace": "data"}},
            "data would hold ingress and data: give each one of its own (network.ingressNamespace, data.namespace)",
        ),
        (
            {"data": {"namespace": "chat"}},
            "chat would hold data and chat: give each one of its own (data.namespace, chat.namespace)",
        ),
        (
            {"ci": {"builder": {"image": "docker.io/moby/buildkit:v0.32.2-rootless", "namespace": "chat"}}},
            "chat would hold builds and chat: give each one of its own (ci.builder.namespace, chat.namespace)",
        ),
        (
            {
                "chat": {"exposure": {"nodePort": 31000}},
                "network": {"controller": {"namespace": "cert-manager"}, "certificates": {"issuer": "ownCa"}},
            },
            "cert-manager would hold ingress and cert-manager: give each one of its own "
            "(network.controller.namespace, network.certificates.namespace)",
        ),
        (
            {"observability": {"stack": {"namespace": "monitoring", "nodeNamespace": "monitoring"}}},
            "monitoring would hold observability and node-exporter: give each one of its own "
            "(observability.stack.namespace, observability.stack.nodeNamespace)",
        ),
    ],
)
def test_a_configuration_in_which_parts_would_share_one_is_refused(rooms: dict[str, Any], problem: str) -> None:
    config = config_file(CONFIGS / "valid" / "smallest.yaml")
    stack = parse({**{key.removeprefix("aihub:"): value for key, value in config.items()}, **rooms})
    with pytest.raises(ConfigError, match=re.escape(problem)):
        plan(stack)
