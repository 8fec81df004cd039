"""The api: reachable as configured, and rolled out without losing a request."""

from typing import Any

import pytest

from infra.chat.api import Api, ApiArgs
from infra.chat.api_login import ApiLogin
from infra.chat.api_pod import DRAIN_SECONDS
from infra.chat.entrance import Entrance, EntranceArgs
from infra.recorder import Recording, record
from tests.infra.support import container_of, of_kind, only, pod_of


def declared(**changes: Any) -> Recording:
    args: dict[str, Any] = {
        "namespace": "chat",
        "image": "registry.local:5000/aihub/api:0.1.0",
        "secret": "chat-secrets",
        "secret_version": "abc",
        "engine_url": "http://engine.chat.svc:8000/v1",
        "redis_host": "redis.data.svc",
        "chroma_host": "chroma.data.svc",
        "replicas": 2,
        "cpu_millicores": 1000,
        "memory_mib": 768,
        **changes,
    }
    return record(lambda: Api("api", ApiArgs(**args)), stack="test")


def entrance(cluster_issuer: str | None = None, routes: dict[str, tuple[str, int]] | None = None) -> dict[str, Any]:
    args = EntranceArgs(
        namespace="chat",
        routes=routes or {"/": ("api", 8000)},
        host="chat.example.com",
        ingress_class="nginx",
        cluster_issuer=cluster_issuer,
    )
    return only(record(lambda: Entrance("chat", args), stack="test"), "Ingress")


def test_it_finds_everything_it_needs() -> None:
    assert only(declared(), "ConfigMap")["data"] == {
        "CHATBOT_ROLE": "api",
        "CHATBOT_HOST": "0.0.0.0",
        "CHATBOT_ENGINE_URL": "http://engine.chat.svc:8000/v1",
        "CHATBOT_ENGINE_KEY_FILE": "/etc/chatbot/secrets/engine-key",
        "CHATBOT_API_KEY_SHA256_FILE": "/etc/chatbot/secrets/api-key-sha256",
        "CHATBOT_REDIS_URL": "redis://redis.data.svc:6379/0",
        "CHATBOT_REDIS_PASSWORD_FILE": "/etc/chatbot/secrets/redis-password",
        "CHATBOT_CHROMA_URL": "http://chroma.data.svc:8000",
        "CHATBOT_DRAIN_SECONDS": "105",
    }


def test_a_question_waits_while_the_engine_loads_a_model() -> None:
    waiting = only(declared(engine_has_model=True), "ConfigMap")["data"]["CHATBOT_ENGINE_HOLD_SECONDS"]
    assert int(waiting) > 60


def test_traces_go_where_they_are_collected() -> None:
    settings = only(declared(otlp_endpoint="http://collector.observability.svc:4318"), "ConfigMap")["data"]
    assert settings["CHATBOT_OTLP_ENDPOINT"] == "http://collector.observability.svc:4318"


def test_rollout_adds_before_it_takes_away() -> None:
    recording = declared()
    deployment, settings = only(recording, "Deployment"), only(recording, "ConfigMap")["data"]
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert container_of(deployment)["lifecycle"] == {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}}
    left = pod_of(deployment)["terminationGracePeriodSeconds"] - DRAIN_SECONDS - int(settings["CHATBOT_DRAIN_SECONDS"])
    assert 5 <= left <= 20, "answers have nearly all of it, and what waits to be saved the rest"


def test_one_replica_at_a_time_may_be_evicted_and_they_spread() -> None:
    recording = declared(replicas=3)
    budget, deployment = only(recording, "PodDisruptionBudget"), only(recording, "Deployment")
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]
    (spread,) = pod_of(deployment)["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["labelSelector"]) == (
        "kubernetes.io/hostname",
        deployment["spec"]["selector"],
    )


def test_node_port_is_the_configured_one_or_none() -> None:
    with_port = only(declared(node_port=31302), "Service")["spec"]
    without = only(declared(), "Service")["spec"]
    assert (with_port["type"], with_port["ports"][0]["nodePort"]) == ("NodePort", 31302)
    assert without["type"] == "ClusterIP"
    assert "nodePort" not in without["ports"][0]


def test_entrance_passes_streams_on_and_takes_a_document() -> None:
    annotations = entrance()["metadata"]["annotations"]
    prefix = "nginx.ingress.kubernetes.io"
    assert annotations[f"{prefix}/proxy-buffering"] == "off"
    assert annotations[f"{prefix}/proxy-body-size"] == "21m"
    assert annotations[f"{prefix}/proxy-read-timeout"] == "3600"
    assert "tls" not in entrance()["spec"]


def test_entrance_leads_each_path_to_its_service() -> None:
    (rule,) = entrance(routes={"/": ("page", 8080), "/api": ("api", 8000)})["spec"]["rules"]
    found = {path["path"]: path["backend"]["service"] for path in rule["http"]["paths"]}
    assert found == {"/": {"name": "page", "port": {"number": 8080}}, "/api": {"name": "api", "port": {"number": 8000}}}
    assert {path["pathType"] for path in rule["http"]["paths"]} == {"Prefix"}


def test_entrance_with_an_issuer_has_a_certificate() -> None:
    ingress = entrance("letsencrypt")
    assert ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"
    assert ingress["spec"]["tls"] == [{"hosts": ["chat.example.com"], "secretName": "chat-tls"}]


LOGIN = ApiLogin(
    settings={"CHATBOT_OIDC_ISSUER": "https://login.aihub.local:31084"},
    ca_secret="chat-tls",
    host_aliases={"10.43.0.80": ("login.aihub.local",)},
)


def test_with_a_login_it_trusts_the_issuer_and_finds_it() -> None:
    recording = declared(login=LOGIN)
    pod = pod_of(only(recording, "Deployment"))
    assert only(recording, "ConfigMap")["data"]["CHATBOT_OIDC_ISSUER"] == "https://login.aihub.local:31084"
    (authority,) = (volume["secret"] for volume in pod["volumes"] if volume["name"] == "ca")
    assert authority == {"secretName": "chat-tls", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    assert {"name": "ca", "mountPath": "/etc/chatbot/ca", "readOnly": True} in pod["containers"][0]["volumeMounts"]
    assert pod["hostAliases"] == [{"ip": "10.43.0.80", "hostnames": ["login.aihub.local"]}]


@pytest.mark.parametrize("strategy", ["canary", "blueGreen"])
def test_a_rollout_stands_in_the_deployments_place_with_the_same_pods(strategy: str) -> None:
    with_rollout = declared(rollout=strategy, analysis_secret="api-analysis", login=LOGIN)
    deployment, rollout = only(declared(login=LOGIN), "Deployment"), only(with_rollout, "Rollout")
    assert of_kind(with_rollout, "Deployment") == []
    assert rollout["spec"]["template"] == deployment["spec"]["template"]
    assert rollout["spec"]["selector"] == deployment["spec"]["selector"]
    assert list(rollout["spec"]["strategy"]) == [strategy]
