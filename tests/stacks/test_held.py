"""An upgrade from the last release gives up no volume: every one is declared under its URN still, or by an alias."""

from collections.abc import Mapping

import pytest
import yaml
from pulumi import Alias, ComponentResource, ResourceOptions

from infra.program import deploy
from infra.stackfile import configuration, placeholder_secrets, stack_names
from infra.storage.volume import Volume, VolumeArgs
from tests.stacks.held import FOLDER, GIT, PULUMI, Held, lost, of_stack, recorded

STACKS = stack_names()


@pytest.mark.parametrize("stack", STACKS)
def test_every_volume_of_the_last_release_is_kept(stack: str) -> None:
    released: Held = yaml.safe_load((FOLDER / f"{stack}.yaml").read_text())
    assert released[PULUMI], "a release that holds nothing was not written down"
    assert lost(released, *of_stack(stack)) == []


@pytest.mark.parametrize("stack", STACKS)
def test_destroy_leaves_claims_and_namespaces(stack: str) -> None:
    """Pulumi's by `retainOnDelete`; Git's by Argo CD's options, see tests/infra/test_gitops.py."""
    resources, _ = recorded(deploy, stack, config=configuration(stack), secrets=placeholder_secrets())
    volumes = [each for each in resources if each.kind in {"PersistentVolumeClaim", "Namespace"}]
    assert volumes
    assert [each.urn for each in volumes if not each.retained] == []
    # Any change of a template replaces its StatefulSet: docs/decisions/0102.
    assert [each.urn for each in resources if "volumeClaimTemplates" in each.properties.get("spec", {})] == []


class Store(ComponentResource):
    """Stands for a component of a room."""

    def __init__(self, token: str, name: str, opts: ResourceOptions | None = None, volume: str = "redis-data") -> None:
        super().__init__(token, name, {}, opts)
        args = VolumeArgs(namespace="data", labels={}, storage_class="folders", storage_gib=1)
        Volume(volume, args, ResourceOptions(parent=self))


def held(
    token: str, name: str, opts: ResourceOptions | None = None, volume: str = "redis-data"
) -> tuple[Held, Mapping[str, set[str]]]:
    resources, earlier = recorded(lambda: Store(token, name, opts, volume), "test")
    return {PULUMI: {f"{each.kind} {each.object_name}": each.urn for each in resources}, GIT: {}}, earlier


@pytest.fixture(scope="module")
def before() -> Held:
    return held("aihub:data:Redis", "redis")[0]


def test_a_component_that_moves_needs_an_alias(before: Held) -> None:
    (problem,) = lost(before, *held("aihub:chat:History", "history"))
    assert problem.startswith("PersistentVolumeClaim redis-data was urn:pulumi:test::aihub::aihub:data:Redis$")
    alias = ResourceOptions(aliases=[Alias(name="redis", type_="aihub:data:Redis")])
    assert lost(before, *held("aihub:chat:History", "history", alias)) == []


def test_children_named_after_their_parent_go_along(before: Held) -> None:
    moved = held("aihub:data:Redis", "sessions", ResourceOptions(aliases=[Alias(name="redis")]), volume="sessions-data")
    urn = before[PULUMI]["PersistentVolumeClaim redis-data"]
    (now,) = moved[0][PULUMI].values()
    assert urn in moved[1][now]


def test_an_alias_of_something_else_does_not_help(before: Held) -> None:
    alias = ResourceOptions(aliases=[Alias(name="redis", type_="aihub:data:Valkey")])
    assert lost(before, *held("aihub:chat:History", "history", alias))


def test_a_claim_of_another_name_is_another_volume(before: Held) -> None:
    (problem,) = lost(before, *held("aihub:data:Redis", "redis", volume="history-data"))
    assert "PersistentVolumeClaim redis-data is declared no longer" in problem


def test_what_changes_hands_keeps_its_name(before: Held) -> None:
    moved: Held = {PULUMI: {}, GIT: dict.fromkeys(before[PULUMI], "")}
    assert lost(before, moved, {}) == []
    assert lost(moved, before, {}) == []
