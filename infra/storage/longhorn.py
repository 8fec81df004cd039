"""Longhorn: volumes with copies, snapshots and backups, for nodes whose kernel can do iSCSI."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.chart import release
from infra.cluster import labels
from infra.storage.recurring import RecurringJob, declare_job
from infra.versions import LONGHORN


@dataclass(frozen=True, kw_only=True)
class LonghornArgs:
    """What :class:`Longhorn` needs from its caller."""

    namespace: Input[str]
    """Namespace of the release; its pods are privileged and mount folders of the node."""
    data_path: str
    """Folder of each node in which the replicas lie."""
    replicas: int
    """Copies of each volume."""
    removable: bool
    """Whether an uninstallation may go through; it deletes every volume."""
    node_down: str
    """Which pods are given up on a node that is down."""
    jobs: tuple[RecurringJob, ...] = ()
    """What is done to every volume by schedule."""
    backup_target: str | None = None
    """Where backups go; absent: none can be made."""
    backup_secret: Input[str] | None = None
    """Name of the Secret with the account there; absent: none is needed."""


class Longhorn(ComponentResource):
    """The release, its recurring jobs, and a policy for its own traffic."""

    storage_class: Output[str]
    """Name of the StorageClass that the chart makes."""

    def __init__(self, name: str, args: LonghornArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:storage:Longhorn", name, {}, ResourceOptions.merge(opts, protection(args.removable)))
        its_labels = labels("storage", name)
        k8s.networking.v1.NetworkPolicy(
            f"{name}-within",
            metadata={"name": f"{name}-within", "namespace": args.namespace, "labels": its_labels},
            spec={
                "pod_selector": {},
                "policy_types": ["Ingress", "Egress"],
                # Engines and replicas choose their ports (10000 to 30000) as volumes come and go: no flow can name one.
                "ingress": [{"from_": [{"pod_selector": {}}]}],
                "egress": [{"to": [{"pod_selector": {}}]}],
            },
            opts=ResourceOptions(parent=self),
        )
        installed = release(
            name, LONGHORN, namespace=args.namespace, values=values(args), parent=self, timeout_seconds=1800
        )
        for job in args.jobs:
            declare_job(
                job,
                resource=f"{name}-{job.name}",
                namespace=args.namespace,
                labels=its_labels,
                group="default",  # every volume that names no group of its own
                # The chart brings the kind.
                options=ResourceOptions(parent=self, depends_on=[installed]),
            )
        self.storage_class = installed.name.apply(lambda _: "longhorn")
        self.register_outputs({"storage_class": self.storage_class})


def protection(removable: bool) -> ResourceOptions:
    """Return what makes `destroy` refuse; children inherit it.

    Uninstalling deletes every volume, those of claims that `destroy` keeps, too.
    """
    return ResourceOptions(protect=None if removable else True)


def values(args: LonghornArgs) -> Mapping[str, Any]:
    """Return the chart's values: everything once, for one node of one person."""
    # One value per data engine, as JSON in a string: that is how the setting's object holds it.
    copies = json.dumps({"v1": str(args.replicas), "v2": str(args.replicas)}, separators=(",", ":"))
    store: dict[str, Any] = {}
    if args.backup_target:
        store["backupTarget"] = args.backup_target
        if args.backup_secret is not None:
            store["backupTargetCredentialSecret"] = args.backup_secret
    return {
        "persistence": {
            "defaultClass": False,  # every volume of this stack names its class
            "defaultClassReplicaCount": args.replicas,
            "reclaimPolicy": "Delete",
        },
        "defaultSettings": {
            "defaultReplicaCount": copies,
            "defaultDataPath": args.data_path,
            # Without it the uninstallation's job refuses and the release hangs in deletion; with it, volumes go too.
            "deletingConfirmationFlag": json.dumps(args.removable),
            "nodeDownPodDeletionPolicy": args.node_down,
            # A quarter of the disk is kept back by default: too much of a PC's only one.
            "storageMinimalAvailablePercentage": 10,
            "upgradeChecker": False,
            "allowCollectingLonghornUsageMetrics": False,
        },
        # Its hook looks for an older Longhorn before each upgrade and fails where nodes or managers are still starting.
        "preUpgradeChecker": {"jobEnabled": False},
        "csi": {f"{part}ReplicaCount": 1 for part in ("attacher", "provisioner", "resizer", "snapshotter")},
        "longhornUI": {"replicas": 1},
        "longhornManager": {
            "resources": {
                "requests": {"cpu": "100m", "memory": "256Mi"},
                "limits": {"cpu": "1000m", "memory": "512Mi"},
            }
        },
        **({"defaultBackupStore": store} if store else {}),
    }
