"""Where volumes come from."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from infra.config.types import Cron, DnsLabel, Image, Section, Url

_TARGET = re.compile(r"nfs://[A-Za-z0-9.-]+:/\S*|s3://[a-z0-9.-]+@[a-z0-9-]+/\S*")
_FOLDER = re.compile(r"(/[A-Za-z0-9._-]+)+")

Kept = Annotated[int, Field(ge=1, le=100, strict=True)]
"""How many of something are kept; the oldest goes first."""


def _target(value: str) -> str:
    if not _TARGET.fullmatch(value):
        raise ValueError("must be nfs://SERVER:/PATH or s3://BUCKET@REGION/PATH")
    return value


def _folder(value: str) -> str:
    if not _FOLDER.fullmatch(value) or ".." in value.split("/"):
        raise ValueError("must be an absolute path below /, e.g. /var/lib/aihub-volumes")
    return value


Folder = Annotated[str, AfterValidator(_folder)]
"""Folder of a node."""


class SnapshotsConfig(Section):
    """Snapshots of every volume, on the same disk: against a mistake, not against a broken disk."""

    schedule: Cron = "0 * * * *"
    kept: Kept = 24


class BackupTimesConfig(Section):
    """When every volume is copied elsewhere, and how many copies are kept of each."""

    schedule: Cron = "0 2 * * *"
    kept: Kept = 7


class BackupsConfig(BackupTimesConfig):
    """Copies of every volume, elsewhere."""

    target: Annotated[str, AfterValidator(_target)]
    """``nfs://SERVER:/PATH`` or ``s3://BUCKET@REGION/PATH``; s3 needs `aihub:backupAccessKey` and
    `aihub:backupSecretKey`."""
    endpoint: Url | None = None
    """Address of an S3 service that is not Amazon's."""

    @property
    def is_s3(self) -> bool:
        """Whether the target asks for an account."""
        return self.target.startswith("s3://")

    @model_validator(mode="after")
    def _endpoint_is_for_s3(self) -> "BackupsConfig":
        if self.endpoint and not self.is_s3:
            raise ValueError("endpoint is for an s3 target, and target is nfs: leave endpoint out")
        return self


class LonghornConfig(Section):
    """Longhorn, installed by this stack; each node needs iscsid and the kernel module iscsi_tcp."""

    namespace: DnsLabel = "longhorn-system"
    data_path: Folder = "/var/lib/longhorn"
    """Folder of each node in which the replicas lie."""
    replicas: Annotated[int, Field(ge=1, le=5, strict=True)] = 1
    """Copies of each volume, on as many nodes; one node can hold one."""
    snapshots: SnapshotsConfig | None = SnapshotsConfig()
    backups: BackupsConfig | None = None
    node_down_pod_deletion_policy: Literal[
        "do-nothing", "delete-statefulset-pod", "delete-deployment-pod", "delete-both-statefulset-and-deployment-pod"
    ] = "delete-both-statefulset-and-deployment-pod"
    """Which pods Longhorn gives up on a node that is down, so that their volumes can move (docs/aipp.md). It does
    nothing by its own default, and such a pod waits for a person; a volume with copies elsewhere is needed, too."""
    removable: bool = False
    """Whether `destroy` may uninstall it, which deletes **every** volume of it; false: `destroy` refuses to."""


class SchedulesConfig(Section):
    """What a Longhorn that is the cluster's does to this stack's volumes, and to no others."""

    namespace: DnsLabel = "longhorn-system"
    """Where it runs."""
    snapshots: SnapshotsConfig | None = SnapshotsConfig()
    backups: BackupTimesConfig | None = None
    """Absent: none of ours. They go to the target that this Longhorn was given."""

    @model_validator(mode="after")
    def _something_is_done(self) -> "SchedulesConfig":
        if not (self.snapshots or self.backups):
            raise ValueError("neither snapshots nor backups are to be made: set one, or leave schedules out")
        return self


class LocalPathConfig(Section):
    """Folders of the node as volumes: nothing to prepare, no copies, no snapshots, no limit on size."""

    namespace: DnsLabel = "local-path-storage"
    image: Image
    """Rancher's local-path-provisioner, 0.0.37 or later."""
    helper_image: Image
    """Image with ``sh``, ``mkdir``, ``chmod`` and ``rm``: its pods make and remove the folders."""
    folder: Folder = "/var/lib/aihub-volumes"
    """Folder of each node in which the volumes lie; not ``/var/lib/aihub``, which a node of our own clears away."""


class StorageConfig(Section):
    """Where volumes come from; what provides them is made here, or it is there already (neither is set)."""

    storage_class: DnsLabel = Field(alias="class")
    """StorageClass of every volume, e.g. ``longhorn`` or ``local-path``; made by the one that is set below."""
    longhorn: LonghornConfig | None = None
    """Absent: no Longhorn of this stack's."""
    local_path: LocalPathConfig | None = None
    """Absent: no local-path-provisioner of this stack's."""

    schedules: SchedulesConfig | None = None
    """Absent: what the cluster does to every volume that says nothing holds for this stack's, too."""

    @model_validator(mode="after")
    def _schedules_are_for_the_clusters(self) -> "StorageConfig":
        if self.schedules and (self.longhorn or self.local_path):
            raise ValueError(
                "schedules are for a Longhorn that is the cluster's: set longhorn.snapshots and longhorn.backups "
                "instead; folders of a node have neither"
            )
        return self

    @model_validator(mode="after")
    def _at_most_one(self) -> "StorageConfig":
        if self.longhorn and self.local_path:
            raise ValueError("longhorn and localPath are both set: keep the one that makes storage.class")
        if self.longhorn and self.storage_class != "longhorn":
            raise ValueError("Longhorn's chart names its StorageClass longhorn: set storage.class to it")
        return self
