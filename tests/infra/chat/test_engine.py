"""The engine: one pod per card, its model, its key and nothing else."""

from typing import Any

from infra.chat.engine import Engine, EngineArgs
from infra.recorder import Recording, record
from tests.infra.support import container_of, only, pod_of


def declared(**changes: Any) -> Recording:
    args: dict[str, Any] = {
        "namespace": "chat",
        "image": "registry.local:5000/aihub/engine:0.1.0",
        "secret": "chat-secrets",
        "secret_version": "abc",
        "cpu_millicores": 2000,
        "memory_mib": 4096,
        "shared_memory_mib": 256,
        **changes,
    }
    return record(lambda: Engine("engine", EngineArgs(**args)), stack="test")


def test_pod_is_replaced_and_never_doubled() -> None:
    spec = only(declared(), "Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_url_is_an_openai_base() -> None:
    recording = declared()
    (urn,) = (resource.urn for resource in recording.resources if resource.type == "aihub:chat:Engine")
    assert recording.outputs[urn] == {"url": "http://engine.chat.svc:8000/v1"}


def test_it_sees_its_own_key_only() -> None:
    (secret,) = (volume["secret"] for volume in pod_of(only(declared(), "Deployment"))["volumes"] if "secret" in volume)
    assert secret["items"] == [{"key": "engine-key", "path": "engine-key"}]


def test_traces_go_where_they_are_collected() -> None:
    settings = only(declared(otlp_endpoint="http://collector.observability.svc:4318"), "ConfigMap")["data"]
    assert settings["CHATBOT_OTLP_ENDPOINT"] == "http://collector.observability.svc:4318"
    assert "CHATBOT_OTLP_ENDPOINT" not in only(declared(), "ConfigMap")["data"]


def test_shared_memory_is_in_memory_and_bounded() -> None:
    volumes = {volume["name"]: volume for volume in pod_of(only(declared(), "Deployment"))["volumes"]}
    assert volumes["shared-memory"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "256Mi"}


def test_without_a_model_none_is_named_or_mounted() -> None:
    recording = declared()
    assert not {"CHATBOT_MODEL", "CHATBOT_CONTEXT_TOKENS", "PYTORCH_ALLOC_CONF"} & {
        *only(recording, "ConfigMap")["data"]
    }
    assert only(recording, "ConfigMap")["data"]["CHATBOT_DEVICE"] == "cpu"
    assert "models" not in str(pod_of(only(recording, "Deployment")))


def test_model_is_mounted_for_reading_and_the_card_is_asked_for() -> None:
    recording = declared(
        model_claim="models", model_folder="/models/a", model_name="a/b", gpu_count=1, runtime_class="nvidia"
    )
    data = only(recording, "ConfigMap")["data"]
    assert (data["CHATBOT_MODEL"], data["CHATBOT_MODEL_NAME"], data["CHATBOT_DEVICE"]) == ("/models/a", "a/b", "cuda")
    deployment = only(recording, "Deployment")
    assert {"name": "models", "mountPath": "/models", "readOnly": True} in container_of(deployment)["volumeMounts"]
    assert pod_of(deployment)["runtimeClassName"] == "nvidia"
    assert container_of(deployment)["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_its_share_of_the_card_and_its_context_are_bounded() -> None:
    recording = declared(model_claim="models", gpu_count=1, gpu_memory_fraction=13 / 16, context_tokens=16384)
    data = only(recording, "ConfigMap")["data"]
    assert data["PYTORCH_ALLOC_CONF"] == "per_process_memory_fraction:0.812"
    assert data["CHATBOT_CONTEXT_TOKENS"] == "16384"


def test_another_version_of_the_model_replaces_the_pod_only() -> None:
    def pod(version: str) -> tuple[dict[str, Any], str]:
        recording = declared(model_claim="models", model_folder=f"/models/{version}", model_name=version)
        deployment = only(recording, "Deployment")
        (settings,) = container_of(deployment)["envFrom"]
        return deployment["metadata"], settings["configMapRef"]["name"]

    (before, old), (after, new) = pod("qwen3-a"), pod("qwen3-b")
    assert before == after
    assert old != new
