"""Objects on a real API server: made, changed, read, taken over, refused, deleted."""

import base64
import json
from typing import Any

import pytest

from plugins.kubernetes.access import Access
from plugins.kubernetes.cluster import APPLY, Cluster
from plugins.kubernetes.manifests import Manifests
from plugins.kubernetes.naming import AUTONAMED
from plugins.kubernetes.settings import Settings
from plugins.protocol.difference import Kind
from plugins.protocol.provider import ProviderError
from plugins.protocol.values import UNKNOWN, Secret, reveal
from tests.apiserver import ApiServer
from tests.plugins.kubernetes.support import Said, config_map, resource

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"
NAMESPACE = "kubernetes:core/v1:Namespace"
SKIP = {"pulumi.com/skipAwait": "true"}


def test_create_gives_id_and_live_object_without_field_owners(manifests: Manifests, namespace: str, said: Said) -> None:
    identity, outputs = manifests.create(resource(CONFIG_MAP), config_map(namespace, a="1"), said.operation())
    assert identity == f"{namespace}/settings"
    assert outputs["data"] == {"a": "1"}
    assert outputs["metadata"]["uid"]
    assert "managedFields" not in outputs["metadata"]


def test_fields_belong_to_pulumi_and_dropped_ones_are_removed(
    manifests: Manifests, cluster: Cluster, namespace: str, said: Said
) -> None:
    before, after = config_map(namespace, a="1", b="2"), config_map(namespace, a="1")
    identity, outputs = manifests.create(resource(CONFIG_MAP), before, said.operation())
    manifests.update(resource(CONFIG_MAP, identity=identity), before, outputs, after, said.operation())
    live = cluster.get(after)
    assert live is not None
    assert live["data"] == {"a": "1"}
    assert [each["manager"] for each in live["metadata"]["managedFields"]] == ["pulumi"]


def test_a_misspelt_field_is_refused_by_name(manifests: Manifests, namespace: str, said: Said) -> None:
    wrong = {**config_map(namespace), "dat": {"a": "1"}}
    with pytest.raises(ProviderError, match=r"ConfigMap .*/settings: .*\.dat: field not declared"):
        manifests.create(resource(CONFIG_MAP), wrong, said.operation())


def test_an_object_that_exists_is_refused_and_untouched(
    manifests: Manifests, cluster: Cluster, namespace: str, said: Said
) -> None:
    cluster.apply(config_map(namespace, a="theirs"), force=False)
    with pytest.raises(ProviderError, match="already exists: import it"):
        manifests.create(resource(CONFIG_MAP), config_map(namespace, a="ours"), said.operation())
    live = cluster.get(config_map(namespace))
    assert live is not None
    assert live["data"] == {"a": "theirs"}


def test_an_object_that_exists_is_taken_over_when_the_provider_says_so(
    api_server: ApiServer, cluster: Cluster, namespace: str, said: Said
) -> None:
    taking = Manifests(Access(Settings(kubeconfig=str(api_server.kubeconfig), upsert_existing_objects=True)))
    cluster.apply(config_map(namespace, a="theirs"), force=False)
    _, outputs = taking.create(resource(CONFIG_MAP), config_map(namespace, a="ours"), said.operation())
    assert outputs["data"] == {"a": "ours"}


def _owned_by_another(cluster: Cluster, manifest: dict[str, Any]) -> None:
    query = [("fieldManager", "another"), ("force", "true")]
    cluster.call("PATCH", cluster.path_of(manifest), query, json.dumps(manifest), APPLY)


def test_a_conflict_names_field_and_owner_and_can_be_forced(
    manifests: Manifests, cluster: Cluster, namespace: str, said: Said
) -> None:
    before = config_map(namespace, a="1")
    identity, outputs = manifests.create(resource(CONFIG_MAP), before, said.operation())
    _owned_by_another(cluster, config_map(namespace, a="2"))
    wanted = config_map(namespace, a="3")
    known = resource(CONFIG_MAP, identity=identity)
    with pytest.raises(ProviderError, match=r'\.data\.a \(conflict with "another"'):
        manifests.update(known, before, outputs, wanted, said.operation())
    wanted["metadata"]["annotations"] = {"pulumi.com/patchForce": "true"}
    assert manifests.update(known, before, outputs, wanted, said.operation())["data"] == {"a": "3"}


def test_names_are_made_once_and_kept(manifests: Manifests) -> None:
    first = manifests.check(resource(CONFIG_MAP, "web"), {}, {"metadata": {}}, b"seed").inputs
    assert first["metadata"]["name"].startswith("web-")
    assert len(first["metadata"]["name"]) == len("web-") + 8
    assert first["metadata"]["annotations"] == {AUTONAMED: "true"}
    assert manifests.check(resource(CONFIG_MAP, "web"), {}, {}, b"seed").inputs == first
    assert manifests.check(resource(CONFIG_MAP, "web"), first, {}, b"other").inputs == first
    assert manifests.check(resource(CONFIG_MAP, "web"), {}, {}, b"other").inputs != first


@pytest.mark.parametrize(
    ("token", "namespace"),
    [
        (CONFIG_MAP, "default"),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", "default"),
        (NAMESPACE, None),
        ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", None),
        ("kubernetes:cert-manager.io/v1:ClusterIssuer", None),
    ],
)
def test_namespaces_are_filled_in_where_the_kind_is_known_to_have_one(
    manifests: Manifests, token: str, namespace: str | None
) -> None:
    inputs = manifests.check(resource(token), {}, {"metadata": {"name": "x"}}, b"").inputs
    assert inputs["metadata"].get("namespace") == namespace


def test_unknown_metadata_are_left_alone(manifests: Manifests) -> None:
    assert manifests.check(resource(CONFIG_MAP), {}, {"metadata": UNKNOWN}, b"").inputs["metadata"] is UNKNOWN


@pytest.mark.parametrize("named_by_hand", [True, False])
def test_an_object_named_by_hand_is_deleted_before_it_is_replaced(manifests: Manifests, named_by_hand: bool) -> None:
    metadata = {"metadata": {"name": "x"} if named_by_hand else {}}
    old = manifests.check(resource(CONFIG_MAP), {}, {**metadata, "data": {"a": "1"}}, b"seed").inputs
    new = manifests.check(resource(CONFIG_MAP), old, {**metadata, "data": {"a": "2"}}, b"seed").inputs
    difference = manifests.diff(resource(CONFIG_MAP), old, old, new)
    assert difference.changes == [(("data", "a"), Kind.UPDATE)]
    assert difference.replaces == {("data", "a")}
    assert difference.delete_before_replace == named_by_hand


def test_a_store_from_before_its_pods_policy_is_deleted_and_made_anew(manifests: Manifests) -> None:
    """`OrderedReady`, the default, cannot be changed in a StatefulSet; and two may not have one name."""
    token, spec = "kubernetes:apps/v1:StatefulSet", {"replicas": 1, "serviceName": "redis"}
    old = {"metadata": {"name": "redis", "namespace": "data"}, "spec": spec}
    filled = {**old, "spec": {**spec, "podManagementPolicy": "OrderedReady"}}
    new = {**old, "spec": {**spec, "podManagementPolicy": "Parallel"}}
    difference = manifests.diff(resource(token), old, filled, new)
    assert difference.replaces == {("spec", "podManagementPolicy")}
    assert difference.delete_before_replace
    assert not manifests.diff(resource(token), new, new, new).replaces


def test_secret_data_are_secret_and_string_data_become_data(
    manifests: Manifests, cluster: Cluster, namespace: str, said: Said
) -> None:
    metadata = {"name": "login", "namespace": namespace}
    inputs = {"metadata": metadata, "stringData": {"password": Secret("hunter22"), "user": "me"}}
    identity, outputs = manifests.create(resource(SECRET), inputs, said.operation())
    encoded = base64.b64encode(b"hunter22").decode()
    assert isinstance(outputs["data"], Secret)
    assert reveal(outputs["data"])["password"] == encoded
    fewer = {"metadata": metadata, "stringData": {"password": Secret("hunter22")}}
    manifests.update(resource(SECRET, identity=identity), inputs, outputs, fewer, said.operation())
    live = cluster.get({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
    assert live is not None
    assert live["data"] == {"password": encoded}


def test_spelling_out_string_data_as_data_changes_nothing(manifests: Manifests) -> None:
    metadata = {"metadata": {"name": "login", "namespace": "n"}}
    spelt = {**metadata, "data": {"password": base64.b64encode(b"hunter22").decode()}}
    given = {**metadata, "stringData": {"password": Secret("hunter22")}}
    assert not manifests.diff(resource(SECRET), spelt, {}, given).changes


def test_a_live_object_that_nobody_touched_is_no_drift(manifests: Manifests, namespace: str, said: Said) -> None:
    # The server writes 0.25 as 250m, and fills in a dozen defaults.
    container = {"name": "c", "image": "i", "resources": {"limits": {"cpu": 0.25}}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    inputs = {
        "metadata": {"name": "web", "namespace": namespace, "annotations": SKIP},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
    }
    token = "kubernetes:apps/v1:Deployment"
    identity, outputs = manifests.create(resource(token), inputs, said.operation())
    found = manifests.read(resource(token, identity=identity), inputs, outputs, said.operation())
    assert found is not None
    assert found[0] == inputs


def test_a_field_changed_outside_is_a_drift_and_others_field_is_none(
    manifests: Manifests, cluster: Cluster, namespace: str, said: Said
) -> None:
    inputs = config_map(namespace, a="1", b="2")
    identity, outputs = manifests.create(resource(CONFIG_MAP), inputs, said.operation())
    _owned_by_another(cluster, config_map(namespace, a="9", c="new"))
    found = manifests.read(resource(CONFIG_MAP, identity=identity), inputs, outputs, said.operation())
    assert found is not None
    assert found[0]["data"] == {"a": "9", "b": "2"}
    assert manifests.diff(resource(CONFIG_MAP), found[0], found[1], inputs).changes == [(("data", "a"), Kind.UPDATE)]


def test_an_object_deleted_outside_is_gone(manifests: Manifests, namespace: str, said: Said) -> None:
    assert manifests.read(resource(CONFIG_MAP, identity=f"{namespace}/none"), {}, {}, said.operation()) is None


def test_an_object_can_be_imported(manifests: Manifests, cluster: Cluster, namespace: str, said: Said) -> None:
    cluster.apply(config_map(namespace, a="1"), force=False)
    found = manifests.read(resource(CONFIG_MAP, identity=f"{namespace}/settings"), {}, {}, said.operation())
    assert found is not None
    assert found[0] == config_map(namespace, a="1")


def test_a_preview_reaches_no_cluster_and_says_once_that_there_is_none(said: Said) -> None:
    nowhere = Manifests(Access(Settings(kubeconfig="/nowhere/kubeconfig")))
    for _ in range(2):
        identity, outputs = nowhere.create(
            resource(CONFIG_MAP), config_map("n", a=UNKNOWN), said.operation(preview=True)
        )
        assert identity == ""
        assert outputs["data"] == {"a": UNKNOWN}
    assert len(said.warnings) == 1
    assert "there is no kubeconfig at /nowhere/kubeconfig" in said.warnings[0]
    with pytest.raises(ProviderError, match="there is no kubeconfig at /nowhere/kubeconfig: set KUBECONFIG"):
        nowhere.create(resource(CONFIG_MAP), config_map("n"), said.operation())


def test_an_api_server_that_is_away_is_named(said: Said, api_server: ApiServer) -> None:
    text = api_server.kubeconfig.read_text().replace(api_server.url, "https://127.0.0.1:1")
    away = Manifests(Access(Settings(kubeconfig=text)))
    with pytest.raises(
        ProviderError, match=r"https://127\.0\.0\.1:1 cannot be reached \(.*refused\): start the cluster"
    ):
        away.create(resource(CONFIG_MAP), config_map("n"), said.operation())


def test_deleting_without_a_cluster_is_refused_unless_the_provider_allows_it(said: Said, api_server: ApiServer) -> None:
    text = api_server.kubeconfig.read_text().replace(api_server.url, "https://127.0.0.1:1")
    known = resource(CONFIG_MAP, identity="n/settings")
    with pytest.raises(ProviderError, match="cannot be reached"):
        Manifests(Access(Settings(kubeconfig=text))).delete(known, {}, said.operation())
    Manifests(Access(Settings(kubeconfig=text, delete_unreachable=True))).delete(known, {}, said.operation())
    assert "is forgotten, not deleted" in said.warnings[0]


@pytest.mark.parametrize(
    "token", ["kubernetes:yaml/v2:ConfigGroup", "kubernetes:apps/v1:DeploymentPatch", "kubernetes:helm.sh/v4:Chart"]
)
def test_what_the_vendors_plugin_has_beyond_objects_is_refused_by_name(manifests: Manifests, token: str) -> None:
    with pytest.raises(ProviderError, match="needs the vendor's plugin"):
        manifests.check(resource(token), {}, {}, b"")
