"""What a pod's containers find in a folder: a claim's files, a ConfigMap's, a Secret's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from pulumi import Input
from pulumi_kubernetes.core.v1 import KeyToPathArgsDict, SecretVolumeSourceArgsDict, VolumeArgsDict, VolumeMountArgsDict


@dataclass(frozen=True, kw_only=True)
class Folder:
    """One volume of a pod, and where every container finds it."""

    volume: VolumeArgsDict
    """The volume."""
    mounts: tuple[VolumeMountArgsDict, ...]
    """Its folder; a single file of it may be mounted elsewhere, too."""

    @classmethod
    def of_claim(cls, name: str, path: str, claim: Input[str], *, read_only: bool = False) -> Self:
        """Return a folder of files that are kept."""
        mount: VolumeMountArgsDict = {"name": name, "mount_path": path}
        if read_only:
            mount["read_only"] = True
        return cls(volume={"name": name, "persistent_volume_claim": {"claim_name": claim}}, mounts=(mount,))

    @classmethod
    def of_config(cls, name: str, path: str, config_map: Input[str], copies: Mapping[str, str] | None = None) -> Self:
        """Return a folder of configuration; ``copies``: file of it -> further path under which it is found."""
        mounts: list[VolumeMountArgsDict] = [{"name": name, "mount_path": path, "read_only": True}]
        for file, further in (copies or {}).items():
            mounts.append({"name": name, "mount_path": further, "sub_path": file, "read_only": True})
        return cls(volume={"name": name, "config_map": {"name": config_map}}, mounts=tuple(mounts))

    @classmethod
    def of_secret(cls, name: str, path: str, secret: Input[str], files: Sequence[str] = ()) -> Self:
        """Return a folder of secrets, which the pod's group may read: all of them, or only ``files``."""
        source: SecretVolumeSourceArgsDict = {"secret_name": secret, "default_mode": 0o440}
        items: list[KeyToPathArgsDict] = [{"key": file, "path": file} for file in files]
        if items:
            source["items"] = items
        return cls(
            volume={"name": name, "secret": source},
            mounts=({"name": name, "mount_path": path, "read_only": True},),
        )

    @classmethod
    def empty(cls, name: str, path: str) -> Self:
        """Return a folder that is empty when the pod starts."""
        return cls(volume={"name": name, "empty_dir": {}}, mounts=({"name": name, "mount_path": path},))

    @classmethod
    def shared_memory(cls, size_mib: int) -> Self:
        """Return a /dev/shm of this size, part of the containers' memory; the runtime's own has 64 MiB."""
        name = "shared-memory"
        volume: VolumeArgsDict = {"name": name, "empty_dir": {"medium": "Memory", "size_limit": f"{size_mib}Mi"}}
        return cls(volume=volume, mounts=({"name": name, "mount_path": "/dev/shm"},))  # noqa: S108 - the pod's own
