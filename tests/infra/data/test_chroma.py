"""Chroma: its data on the volume, no telemetry."""

from infra.data.chroma import Chroma, ChromaArgs
from infra.recorder import record
from tests.infra.support import container_of, only, pod_of


def test_data_lies_on_the_volume_and_nothing_is_reported_home() -> None:
    args = ChromaArgs(namespace="data", image="chroma:1.5.9", storage_class="local-path", storage_gib=5, memory_mib=512)
    recording = record(lambda: Chroma("chroma", args), stack="test")
    container = container_of(only(recording, "StatefulSet"))
    assert container["command"][:4] == ["chroma", "run", "--path", "/data"]
    assert {"name": "data", "mountPath": "/data"} in container["volumeMounts"]
    assert {"name": "ANONYMIZED_TELEMETRY", "value": "False"} in container["env"]
    claims = [volume.get("persistentVolumeClaim") for volume in pod_of(only(recording, "StatefulSet"))["volumes"]]
    assert {"claimName": "chroma-data"} in claims
    assert "imagePullSecrets" not in only(recording, "ServiceAccount")
