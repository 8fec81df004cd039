"""Rancher's local-path-provisioner: each claim becomes a folder of the node on which its first pod runs.

Own objects and not the chart: that is published in a Git repository only, which `helm.v3.Release` cannot install from.
"""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, VolumeArgsDict
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict, SubjectArgsDict

from infra.cluster import PROJECT, labels, selector
from infra.storage.local_path_files import files
from infra.workload import Settings, SettingsArgs, http_probe, pod_spec, resources, service_account

PROVISIONER = "aihub.local/rancher-local-path"
"""Not Rancher's own name: k3s and RKE2 run one under that, and both would answer the same claims."""
HEALTH_PORT = 8080
API_GROUP = "rbac.authorization.k8s.io"
CONFIG_FOLDER = "/etc/config"
TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a folder, where client libraries look
_READ, _WRITE = ["get", "list", "watch"], ["create", "patch", "update", "delete"]
CLUSTER_RULES: tuple[PolicyRuleArgsDict, ...] = (
    {"api_groups": [""], "resources": ["nodes", "persistentvolumeclaims"], "verbs": _READ},
    {"api_groups": [""], "resources": ["persistentvolumes"], "verbs": [*_READ, *_WRITE]},
    {"api_groups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    {"api_groups": ["storage.k8s.io"], "resources": ["storageclasses"], "verbs": _READ},
)
OWN_RULES: tuple[PolicyRuleArgsDict, ...] = (
    {"api_groups": [""], "resources": ["pods"], "verbs": [*_READ, *_WRITE]},
    {"api_groups": [""], "resources": ["pods/log", "configmaps"], "verbs": _READ},
)
"""In its own namespace: helper pods, their logs, its settings."""


@dataclass(frozen=True, kw_only=True)
class LocalPathArgs:
    """What :class:`LocalPath` needs from its caller."""

    namespace: Input[str]
    """Namespace of the provisioner and of its helper pods, which mount folders of the node."""
    storage_class: str
    """Name of the StorageClass to make."""
    image: str
    """Image of the provisioner."""
    helper_image: str
    """Image of the pods that make and remove folders."""
    folder: str
    """Folder of each node in which the volumes lie."""


class LocalPath(ComponentResource):
    """A StorageClass and the provisioner behind it."""

    storage_class: Output[str]
    """Name of the StorageClass."""

    def __init__(self, name: str, args: LocalPathArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:storage:LocalPath", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("storage", name)
        settings = Settings(
            f"{name}-config",
            SettingsArgs(namespace=args.namespace, labels=its_labels, data=files(args.folder, args.helper_image)),
            opts=child,
        )
        account = service_account(name, args.namespace, its_labels, None, self)
        self._rights(name, args, account)
        pod = pod_spec(
            service_account=account,
            containers=[_container(args, account, settings.config_map)],
            volumes=_volumes(settings.config_map),
        )
        workload = k8s.apps.v1.Deployment(
            f"{name}-provisioner",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={
                "replicas": 1,
                # Two at once would answer the same claim: it elects no leader.
                "strategy": {"type": "Recreate"},
                "selector": {"match_labels": selector(name)},
                "template": {"metadata": {"labels": its_labels}, "spec": pod},
            },
            opts=child,
        )
        made = k8s.storage.v1.StorageClass(
            f"{name}-class",
            metadata={
                "name": args.storage_class,
                "labels": its_labels,
                # The kubelet gives a `local` volume to the pod's fsGroup; a `hostPath` it leaves as it is.
                "annotations": {"defaultVolumeType": "local"},
            },
            provisioner=PROVISIONER,
            reclaim_policy="Delete",
            # The folder is made on the node where the first pod runs.
            volume_binding_mode="WaitForFirstConsumer",
            opts=ResourceOptions(parent=self, depends_on=[workload]),
        )
        self.storage_class = made.metadata["name"]
        self.register_outputs({"storage_class": self.storage_class})

    def _rights(self, name: str, args: LocalPathArgs, account: Input[str]) -> None:
        """Declare what the provisioner may do at the API server: claims and volumes everywhere, pods where it is."""
        child, its_labels = ResourceOptions(parent=self), labels("storage", name)
        cluster_role = f"{PROJECT}-{name}"
        everywhere: ObjectMetaArgsDict = {"name": cluster_role, "labels": its_labels}
        here: ObjectMetaArgsDict = {"name": name, "namespace": args.namespace, "labels": its_labels}
        subjects: list[SubjectArgsDict] = [{"kind": "ServiceAccount", "name": account, "namespace": args.namespace}]
        rbac = k8s.rbac.v1
        rbac.ClusterRole(f"{name}-cluster-role", metadata=everywhere, rules=[*CLUSTER_RULES], opts=child)
        rbac.ClusterRoleBinding(
            f"{name}-cluster-binding",
            metadata=everywhere,
            role_ref={"api_group": API_GROUP, "kind": "ClusterRole", "name": cluster_role},
            subjects=[*subjects],
            opts=child,
        )
        rbac.Role(f"{name}-role", metadata=here, rules=[*OWN_RULES], opts=child)
        rbac.RoleBinding(
            f"{name}-binding",
            metadata=here,
            role_ref={"api_group": API_GROUP, "kind": "Role", "name": name},
            subjects=[*subjects],
            opts=child,
        )


def _container(args: LocalPathArgs, account: Input[str], config_map: Input[str]) -> ContainerArgsDict:
    return {
        "name": "local-path",
        "image": args.image,
        "command": ["/usr/bin/local-path-provisioner", "start"],
        "args": [
            *("--config", f"{CONFIG_FOLDER}/config.json"),
            *("--configmap-name", config_map),
            *("--helper-image", args.helper_image),
            *("--provisioner-name", PROVISIONER),
            *("--service-account-name", account),
        ],
        "env": [
            {"name": "POD_NAMESPACE", "value_from": {"field_ref": {"field_path": "metadata.namespace"}}},
            {"name": "HEALTH_PORT", "value": str(HEALTH_PORT)},
        ],
        "ports": [{"name": "health", "container_port": HEALTH_PORT}],
        "startup_probe": http_probe("/health", "health", period_seconds=5, failures=12),
        "liveness_probe": http_probe("/health", "health", period_seconds=10, failures=3),
        "readiness_probe": http_probe("/ready", "health", period_seconds=5, failures=3),
        "resources": resources(cpu_millicores=200, memory_mib=64),
        "volume_mounts": [
            {"name": "config", "mount_path": CONFIG_FOLDER, "read_only": True},
            {"name": "api-access", "mount_path": TOKEN_FOLDER, "read_only": True},
        ],
    }


def _volumes(config_map: Input[str]) -> list[VolumeArgsDict]:
    """Return its settings, and its token: mounted by name here, since no pod of ours gets one by default."""
    return [
        {"name": "config", "config_map": {"name": config_map}},
        {
            "name": "api-access",
            "projected": {
                "sources": [
                    {"service_account_token": {"path": "token", "expiration_seconds": 3600}},
                    {"config_map": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                ]
            },
        },
    ]
