"""The releases: small, without a password, without a hook, and with rights for nothing but their task."""

from typing import Any

import pytest

from infra.config.observability import OwnStackConfig
from infra.observability.collector import configuration
from infra.observability.grafana import GrafanaArgs, GrafanaLoginArgs, grafana_values
from infra.observability.prometheus import PrometheusStackArgs, values
from infra.program import deploy
from infra.recorder import SECRET, Recording, record
from tests.infra.observability.support import recorded
from tests.infra.support import CANARIES, CONFIGS, config_file, of_kind

MEBI = {"Mi": 1, "Gi": 1024}
BUDGET_MIB = 4096


@pytest.fixture(scope="module")
def recording() -> Recording:
    return recorded("observability-of-our-own")


def release(recording: Recording, name: str) -> dict[str, Any]:
    (found,) = (each for each in recording.resources if each.name == f"{name}-release")
    return dict(found.properties["values"])


def requests_mib(value: Any) -> list[int]:
    """Return every memory request below ``value``."""
    if isinstance(value, dict):
        own = value.get("requests", {}).get("memory") if isinstance(value.get("requests"), dict) else None
        here = [int(own[:-2]) * MEBI[own[-2:]]] if own else []
        return here + [each for child in value.values() for each in requests_mib(child)]
    return [each for child in value for each in requests_mib(child)] if isinstance(value, list) else []


def test_all_of_it_fits_into_a_sixth_of_the_machine(recording: Recording) -> None:
    ours = ("observability", "node-exporter")
    pods = [each for each in recording.objects() if each.kind in ("Deployment", "DaemonSet") and each.namespace in ours]
    releases = [each for each in recording.resources if each.type == "kubernetes:helm.sh/v3:Release"]
    watched = [release(recording, name) for name in ("prometheus-stack", "loki", "tempo", "collector")]
    sizes = requests_mib([*watched, *(each.properties for each in pods)])
    assert len(releases) >= 4
    assert len(sizes) >= 11  # every container states what it needs
    assert 1024 < sum(sizes) < BUDGET_MIB


def test_no_webhook_and_so_no_hook(recording: Recording) -> None:
    operator = release(recording, "prometheus-stack")["prometheusOperator"]
    assert operator["admissionWebhooks"] == operator["tls"] == {"enabled": False}


def test_closed_parts_of_the_control_plane_are_a_field() -> None:
    def parts(is_measured: bool) -> set[bool]:
        config = OwnStackConfig.model_validate({"controlPlane": is_measured})
        found = values("stack", stack_args(config))
        return {found[part]["enabled"] for part in ("kubeEtcd", "kubeScheduler", "kubeControllerManager", "kubeProxy")}

    assert parts(False) == {False}
    assert parts(True) == {True}


def stack_args(config: OwnStackConfig) -> PrometheusStackArgs:
    grafana = GrafanaArgs(namespace="observability", admin_secret="grafana-admin", secrets_version="1")
    return PrometheusStackArgs(
        namespace="observability",
        node_namespace="node-exporter",
        config=config,
        storage_class="local-path",
        grafana=grafana,
    )


def test_monitors_are_taken_wherever_they_are(recording: Recording) -> None:
    spec = release(recording, "prometheus-stack")["prometheus"]["prometheusSpec"]
    nil = {key: value for key, value in spec.items() if key.endswith("SelectorNilUsesHelmValues")}
    assert len(nil) == 5
    assert set(nil.values()) == {False}


def test_samples_never_fill_the_volume(recording: Recording) -> None:
    spec = release(recording, "prometheus-stack")["prometheus"]["prometheusSpec"]
    (size,) = {spec["storageSpec"]["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"]}
    assert int(spec["retentionSize"].removesuffix("MiB")) <= int(size.removesuffix("Gi")) * 1024 * 0.8
    assert spec["retention"] == "3d"


def test_node_exporter_opens_no_port_of_the_node(recording: Recording) -> None:
    exporter = release(recording, "prometheus-stack")["prometheus-node-exporter"]
    assert (exporter["hostNetwork"], exporter["hostPID"]) == (False, False)
    assert exporter["namespaceOverride"] == "node-exporter"
    levels = {
        each.object_name: each.properties["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for each in of_kind(recording, "Namespace")
    }
    assert (levels["node-exporter"], levels["observability"]) == ("privileged", "restricted")


def test_collector_reads_logs_and_nothing_secret(recording: Recording) -> None:
    rbac = release(recording, "collector")["rbac"]
    assert rbac["rules"] and rbac["clusterRules"]  # the chart cannot join an empty list to another
    rules = rbac["rules"] + rbac["clusterRules"]
    assert {resource for rule in rules for resource in rule["resources"]} == {"pods", "pods/log", "events"}
    assert {verb for rule in rules for verb in rule["verbs"]} <= {"get", "list", "watch"}
    mounts = release(recording, "collector")["controller"]["volumes"]["extra"]
    assert not [mount for mount in mounts if "hostPath" in mount]


def test_collector_sends_each_kind_to_its_store() -> None:
    text = configuration(logs_url="http://l/push", traces_url="http://t:4318", metrics_url="http://p/write")
    assert text.count("{") == text.count("}")
    for url in ("http://l/push", "http://t:4318", "http://p/write"):
        assert f'"{url}"' in text
    # What a pipeline names is declared in the same file.
    for name in ("loki.write.loki", "otelcol.processor.batch.pods", "otelcol.exporter.otlphttp.tempo"):
        kind, _, label = name.rpartition(".")
        assert f'{kind} "{label}" {{' in text


def test_a_new_pipeline_replaces_the_collector(recording: Recording) -> None:
    name = release(recording, "collector")["alloy"]["configMap"]["name"]
    assert name in {each.object_name for each in of_kind(recording, "ConfigMap")}
    assert name.startswith("collector-settings-")


def test_grafana_lets_in_whom_the_issuer_names(recording: Recording) -> None:
    grafana = release(recording, "prometheus-stack")["grafana"]
    oauth = grafana["grafana.ini"]["auth.generic_oauth"]
    assert oauth["role_attribute_path"] == (
        "contains(groups[*], 'aihub-admins') && 'GrafanaAdmin' || contains(groups[*], 'aihub-users') && 'Viewer'"
    )
    assert oauth["role_attribute_strict"] is True
    assert oauth["client_secret"] == "$__file{/etc/grafana-login/client-secret}"
    assert oauth["scopes"] == "openid email"
    assert oauth["auth_url"] == "https://login.example.com/oauth/authorize"
    assert oauth["token_url"] == "https://login.example.com/oauth/token"
    assert oauth["api_url"] == "https://people.example.com/me"  # some issuers answer elsewhere
    assert grafana["grafana.ini"]["server"]["root_url"] == "http://grafana.example.com:31302"
    assert grafana["admin"]["existingSecret"] == "grafana-admin"
    assert grafana["podAnnotations"]["aihub/secrets-version"].count("-") == 1  # of both Secrets: a new one restarts it
    assert SECRET not in str(grafana)


def test_grafana_trusts_our_own_authority_without_its_key() -> None:
    login = GrafanaLoginArgs(
        authorize_url="https://login.aihub.local:31084/auth",
        token_url="https://login.aihub.local:31084/token",
        userinfo_url="https://login.aihub.local:31084/userinfo",
        scopes=("openid", "groups"),
        client_id="grafana",
        client_secret="grafana-login",
        groups_claim="groups",
        admin_group="admins",
        user_group="users",
        own_ca=True,
        host_aliases={"10.96.0.80": ("login.aihub.local",)},
    )
    found = grafana_values(
        GrafanaArgs(namespace="o", admin_secret="a", secrets_version="1", host="g.aihub.local", login=login)
    )
    assert found["hostAliases"] == [{"ip": "10.96.0.80", "hostnames": ["login.aihub.local"]}]
    (ca,) = (mount for mount in found["extraSecretMounts"] if mount["name"] == "ca")
    assert [item["key"] for item in ca["items"]] == ["ca.crt"]
    assert found["grafana.ini"]["auth.generic_oauth"]["tls_client_ca"] == "/etc/grafana-ca/ca.crt"


def test_endpoints_of_an_issuer_of_our_own_are_known() -> None:
    config = {"aihub:observability": {"stack": {"grafanaHost": "grafana.aihub.local"}}}
    base = config_file(CONFIGS / "valid" / "login-and-certificates-of-our-own.yaml")
    found = record(deploy, stack="test", config={**base, **config}, secrets=CANARIES)
    oauth = release(found, "prometheus-stack")["grafana"]["grafana.ini"]["auth.generic_oauth"]
    issuer = oauth["auth_url"].removesuffix("/auth")
    assert issuer.startswith("https://")
    assert (oauth["token_url"], oauth["api_url"]) == (f"{issuer}/token", f"{issuer}/userinfo")


def test_without_a_host_there_is_no_ingress_and_no_login() -> None:
    found = grafana_values(GrafanaArgs(namespace="o", admin_secret="a", secrets_version="1"))
    assert not {"ingress", "hostAliases", "extraSecretMounts"} & found.keys()


def test_logs_and_traces_end(recording: Recording) -> None:
    loki = release(recording, "loki")["loki"]
    assert loki["limits_config"]["retention_period"] == "168h"
    assert loki["compactor"] == {"retention_enabled": True, "delete_request_store": "filesystem"}
    assert release(recording, "tempo")["tempo"]["retention"] == "48h"
    assert release(recording, "tempo")["persistence"]["enabled"] is True
