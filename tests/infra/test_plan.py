"""The rooms' plans become one, and what cannot be one is refused."""

import pytest

from infra.config import ConfigError, parse
from infra.plan import Flow, Plan, Pods, Space, World, merged, shared_namespaces
from infra.program import plan
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


def test_a_configuration_in_which_parts_would_share_one_is_refused() -> None:
    config = config_file(CONFIGS / "valid" / "smallest.yaml")
    rooms = {key.removeprefix("aihub:"): value for key, value in config.items()}
    shared = parse({**rooms, "network": {"ingressNamespace": "data"}})
    with pytest.raises(ConfigError, match="namespace data would hold ingress and data"):
        plan(shared)
