"""The rooms' plans become one, and what cannot be one is refused."""

from typing import Any

import pytest

from infra.config import ConfigError, parse
from infra.plan import Flow, Plan, Pods, Space, World, merged, shared_namespaces
from infra.program import plan
from infra.stackfile import configuration
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
    theirs = Space(namespace="theirs", ours=False)
    assert shared_namespaces(Plan(spaces={"a": theirs, "b": theirs})) == []
    (problem,) = shared_namespaces(Plan(spaces={"a": theirs, "b": Space(namespace="theirs")}))
    assert problem == "namespace theirs would hold a and b: give each a namespace of its own"


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
    ],
)
def test_no_part_takes_a_namespace_that_is_others(room: str, namespace: str, problem: str, delivery: str) -> None:
    """Whoever makes it: with it come a closed network and restricted pods."""
    rooms: dict[str, Any] = {key.removeprefix("aihub:"): value for key, value in configuration("dev").items()}
    rooms["aipp"] = {**rooms["aipp"], "delivery": delivery}
    rooms[room] = {**rooms[room], "namespace": namespace}
    with pytest.raises(ConfigError, match=problem):
        plan(parse(rooms))


def test_a_configuration_in_which_parts_would_share_one_is_refused() -> None:
    config = config_file(CONFIGS / "valid" / "smallest.yaml")
    rooms = {key.removeprefix("aihub:"): value for key, value in config.items()}
    shared = parse({**rooms, "network": {"ingressNamespace": "data"}})
    with pytest.raises(ConfigError, match="namespace data would hold ingress and data"):
        plan(shared)
