"""Which changes need a new object, kind by kind.

The lists follow the vendor's plugin (``provider/pkg/provider/diff.go`` of pulumi-kubernetes 4.x), which follows what
the API server refuses to change.
"""

from collections.abc import Iterable

from plugins.kubernetes.cluster import Manifest
from plugins.kubernetes.objects import group_of
from plugins.kubernetes.settings import Settings
from plugins.protocol.difference import Path


def _paths(*texts: str) -> tuple[Path, ...]:
    return tuple(tuple(text.split(".")) for text in texts)


_IDENTITY = _paths("metadata.name", "metadata.namespace")
_CONFIG_MAP = _paths("data", "binaryData")
_SECRET = _paths("type", "data")
_VOLUME_SOURCES = (
    *("awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker"),
    *("gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume"),
    *("quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"),
)
_KINDS: dict[tuple[str, str], tuple[Path, ...]] = {
    ("apps", "DaemonSet"): _paths("spec.selector"),
    ("apps", "Deployment"): _paths("spec.selector"),
    ("apps", "StatefulSet"): _paths(
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): _paths("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("", "PersistentVolume"): _paths(*(f"spec.{source}" for source in _VOLUME_SOURCES)),
    ("", "PersistentVolumeClaim"): _paths(
        "spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"
    ),
    # The vendor's list names every field of a pod's specification but its tolerations and its deadline.
    ("", "Pod"): _paths("spec"),
    ("", "ResourceQuota"): _paths("spec.scopes"),
    ("", "Service"): _paths("spec.clusterIP"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _paths("roleRef"),
    ("rbac.authorization.k8s.io", "RoleBinding"): _paths("roleRef"),
    ("storage.k8s.io", "StorageClass"): _paths("parameters", "provisioner"),
}


def _rules(manifest: Manifest, settings: Settings) -> tuple[Path, ...]:
    kind = manifest["kind"]
    group = group_of(manifest["apiVersion"])
    immutable = manifest.get("immutable") is True
    if (group, kind) == ("", "ConfigMap"):
        return _IDENTITY if settings.enable_config_map_mutable and not immutable else _IDENTITY + _CONFIG_MAP
    if (group, kind) == ("", "Secret"):
        return _IDENTITY if settings.enable_secret_mutable and not immutable else _IDENTITY + _SECRET
    return _IDENTITY + _KINDS.get((group, kind), ())


def replacing(changed: Iterable[Path], old: Manifest, new: Manifest, settings: Settings) -> frozenset[Path]:
    """Return those of the changed places that the API server would not change in a living object."""
    rules = _rules(old, settings)

    def needs_new(path: Path) -> bool:
        for rule in rules:
            if path[: len(rule)] == rule:
                return True
            # The whole of ``spec`` was added or taken away, and the rule's field with it.
            if rule[: len(path)] == path and (_has(old, rule) or _has(new, rule)):
                return True
        return False

    return frozenset(path for path in changed if needs_new(path))


def _has(manifest: Manifest, path: Path) -> bool:
    value: object = manifest
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True
