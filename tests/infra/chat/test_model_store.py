"""The models' volume, the Jobs that fill it, what the engine waits for, and the prune."""

from typing import Any

from infra.chat.engine import Engine, EngineArgs
from infra.chat.model_store import ModelStore, ModelStoreArgs
from infra.config.chat_models import ModelConfig
from infra.manifests import SYNC_WAVES, as_manifest
from infra.recorder import Recording, record
from tests.infra.support import container_of, of_kind, only

REVISION = "0123456789abcdef0123456789abcdef01234567"
HUB = {"source": {"repository": "Qwen/Qwen3-4B", "revision": REVISION, "hub": "https://hub.example.com"}}
MIRROR = {
    "source": {
        "address": "http://mirror.example.com:8080/qwen3",
        "files": {"config.json": "a" * 64, "model.safetensors": "b" * 64},
    }
}


def store(serving: str | None = "qwen3", models: dict[str, Any] | None = None, **changes: Any) -> ModelStore:
    args: dict[str, Any] = {
        "namespace": "chat",
        "image": "registry.local:5000/aihub/api:0.1.0",
        "models": {name: ModelConfig.model_validate(model) for name, model in (models or {"qwen3": HUB}).items()},
        "serving": serving,
        "secret": "chat-secrets",
        "storage_class": "longhorn",
        "storage_gib": 20,
        **changes,
    }
    return ModelStore("models", ModelStoreArgs(**args))


def recorded(**changes: Any) -> Recording:
    return record(lambda: store(**changes), stack="test")


def test_job_fetches_one_revision_into_a_folder_of_its_own() -> None:
    assert container_of(only(recorded(), "Job"))["args"] == [
        *("--folder", "/models/qwen3-0123456789ab", "--quantization", "none"),
        *("--hub", "https://hub.example.com", "--repository", "Qwen/Qwen3-4B", "--revision", REVISION),
    ]


def test_job_fetches_stated_files_from_an_address() -> None:
    arguments = container_of(only(recorded(models={"qwen3": MIRROR}), "Job"))["args"]
    assert arguments[4:] == [
        *("--address", "http://mirror.example.com:8080/qwen3"),
        *("--file", f"{'a' * 64}=config.json", "--file", f"{'b' * 64}=model.safetensors"),
    ]


def test_folder_changes_with_the_content_and_with_nothing_else() -> None:
    def folder(model: dict[str, Any]) -> str:
        return str(container_of(only(recorded(models={"qwen3": model}), "Job"))["args"][1])

    other_hub = {"source": {**HUB["source"], "hub": "https://mirror.example.com"}}
    other_file = {"source": {**MIRROR["source"], "files": {"config.json": "c" * 64, "model.safetensors": "b" * 64}}}
    assert folder(HUB) == folder(other_hub)
    assert len({folder(HUB), folder(MIRROR), folder(other_file)}) == 3


def test_each_version_has_its_job_and_all_share_one_volume() -> None:
    recording = recorded(models={"qwen3": HUB, "mirrored": MIRROR})
    names = sorted(job.object_name for job in of_kind(recording, "Job"))
    assert [name.rpartition("-")[0] for name in names] == ["models-download-mirrored", "models-download-qwen3"]
    assert only(recording, "PersistentVolumeClaim")["metadata"]["name"] == "models"


def test_what_a_job_cannot_change_makes_another_job() -> None:
    def name(model: dict[str, Any] = HUB, **changes: Any) -> str:
        return str(only(recorded(models={"qwen3": model}, **changes), "Job")["metadata"]["name"])

    assert name() == name()
    other = {"source": {**HUB["source"], "revision": "f" * 40}}
    assert len({name(), name(image="other:1"), name(other), name(MIRROR)}) == 4


def test_longest_name_fits_a_label() -> None:
    recording = recorded(serving=None, models={"m" * 32: HUB})
    assert len(only(recording, "Job")["metadata"]["name"]) <= 63


def test_engine_waits_for_the_version_that_serves_and_for_no_other() -> None:
    def program() -> None:
        args = EngineArgs(
            namespace="chat",
            image="engine:1",
            secret="s",
            secret_version="1",
            cpu_millicores=100,
            memory_mib=64,
            shared_memory_mib=64,
            model_claim=store(models={"qwen3": HUB, "mirrored": MIRROR}).claim,
        )
        Engine("engine", args)

    recording = record(program, stack="test")
    (deployment,) = of_kind(recording, "Deployment")
    waits = {job.object_name.rpartition("-")[0]: job.urn in deployment.depends_on for job in of_kind(recording, "Job")}
    assert waits == {"models-download-qwen3": True, "models-download-mirrored": False}


def test_prune_sleeps_until_somebody_starts_it_and_knows_what_to_keep() -> None:
    cron_job = only(recorded(models={"qwen3": HUB, "mirrored": MIRROR}), "CronJob")
    assert cron_job["spec"]["suspend"] is True
    container = container_of(cron_job["spec"]["jobTemplate"])
    assert container["args"][:4] == ["--store", "/models", "--engine", "http://engine.chat.svc:8000/v1"]
    assert "qwen3-0123456789ab" in container["args"]
    assert container["args"].count("--keep") == 2


def test_argo_cd_makes_the_claim_with_its_first_reader_and_before_the_engine() -> None:
    """A claim that waits for its first pod is not healthy before, and Argo CD waits for the health of each wave."""
    recording = recorded()
    manifests = [as_manifest(resource, []) for resource in recording.objects()]
    waves = {each["kind"]: each["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] for each in manifests}
    assert waves["PersistentVolumeClaim"] == waves["Job"]
    assert int(waves["ConfigMap"]) < int(waves["Job"]) < SYNC_WAVES["Deployment"]
