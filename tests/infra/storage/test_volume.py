"""A volume is a claim of its own that outlives its store."""

from infra.recorder import record
from infra.storage.volume import Volume, VolumeArgs
from tests.infra.support import of_kind


def test_claim_is_kept_named_and_sized() -> None:
    args = VolumeArgs(namespace="data", labels={"a": "b"}, storage_class="longhorn", storage_gib=7)
    (claim,) = of_kind(record(lambda: Volume("redis-data", args), stack="test"), "PersistentVolumeClaim")
    assert (claim.object_name, claim.retained) == ("redis-data", True)
    assert claim.properties["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "longhorn",
        "resources": {"requests": {"storage": "7Gi"}},
    }
