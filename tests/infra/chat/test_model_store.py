"""The model's volume, and the Job that the engine waits for."""

from typing import Any

from infra.chat.engine import Engine, EngineArgs
from infra.chat.model_store import ModelStore, ModelStoreArgs
from infra.recorder import Recording, record
from tests.infra.support import container_of, of_kind, only

REVISION = "0123456789abcdef0123456789abcdef01234567"


def store(**changes: Any) -> ModelStore:
    args: dict[str, Any] = {
        "namespace": "chat",
        "image": "registry.local:5000/aihub/api:0.1.0",
        "hub": "https://hub.example.com",
        "model_id": "Qwen/Qwen3-4B",
        "revision": REVISION,
        "storage_class": "longhorn",
        "storage_gib": 20,
        "used_by": "engine",
        **changes,
    }
    return ModelStore("model-download", ModelStoreArgs(**args))


def job(recording: Recording) -> dict[str, Any]:
    return only(recording, "Job")


def test_job_fetches_one_revision_into_a_folder_of_its_own() -> None:
    recording = record(store, stack="test")
    assert container_of(job(recording))["args"] == [
        "https://hub.example.com",
        "Qwen/Qwen3-4B",
        REVISION,
        "/models/Qwen--Qwen3-4B/0123456789ab",
    ]
    (script,) = only(recording, "ConfigMap")["data"].values()
    assert "def main(" in script


def test_what_a_job_cannot_change_makes_another_job() -> None:
    def name(**changes: Any) -> str:
        return str(job(record(lambda: store(**changes), stack="test"))["metadata"]["name"])

    assert name() == name()
    assert len({name(), name(image="other:1"), name(revision="f" * 40), name(model_id="a/b")}) == 4


def test_engine_waits_for_the_job() -> None:
    def program() -> None:
        args = EngineArgs(
            namespace="chat",
            image="engine:1",
            secret="s",
            secret_version="1",
            cpu_millicores=100,
            memory_mib=64,
            shared_memory_mib=64,
            model_claim=store().claim,
        )
        Engine("engine", args)

    recording = record(program, stack="test")
    (deployment,) = of_kind(recording, "Deployment")
    (download,) = of_kind(recording, "Job")
    assert download.urn in deployment.depends_on
