"""The CronJob that runs infra/delivery/rollback.py, with the rights to read what it looks at and to change nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, PodSpecArgsDict, PodTemplateSpecArgsDict, VolumeArgsDict

from infra.cluster import labels
from infra.folders import Folder
from infra.network import authorities
from infra.workload import Settings, SettingsArgs, pod_spec, resources, service_account

SCRIPT = Path(__file__).with_name("rollback.py")
SCRIPT_FOLDER = "/etc/rollback"
CREDENTIALS_FOLDER = "/etc/rollback-git"
ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 600
TIMEOUT_SECONDS = 300
CREDENTIALS_FILES: Mapping[str, str] = {"password": "${deliveryPassword}"}


def credentials_files(username: str) -> dict[str, str]:
    """Return the template of the Secret with which it reads and writes Git."""
    return {"username": username, **CREDENTIALS_FILES}


@dataclass(frozen=True, kw_only=True)
class RollbackArgs:
    """What a :class:`Rollback` needs from its caller."""

    namespace: Input[str]
    """Namespace of the Rollout, and of every child but one."""
    image: Input[str]
    """Image with Python and git."""
    rollout: str
    """Name of the Rollout."""
    deployment: str
    """Name of the Deployment whose images have the same overlay."""
    rollout_namespace: str
    """Name of the namespace above."""
    repository: str
    """Address of the Git repository."""
    branch: str
    """Branch that Argo CD follows."""
    overlay: str
    """Kustomization with the tags, in the repository."""
    credentials: Input[str]
    """Secret with the files ``username`` and ``password``."""
    memory_mib: int
    """Memory of its pod."""
    refused: str | None = None
    """List of refused tags, in the repository; absent: there is no Image Updater."""
    updater: str | None = None
    """Name of the ImageUpdater; absent: there is none."""
    updater_namespace: str = "argocd"
    """Its namespace."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""
    trusts_authorities: bool = False
    """Whether the namespace has a ConfigMap of authorities, to be trusted beside the public ones."""


class Rollback(ComponentResource):
    """Looks once a minute whether a rollout failed; see docs/decisions/1004."""

    def __init__(self, name: str, args: RollbackArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:delivery:Rollback", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("delivery", name)
        script = Settings(
            f"{name}-script",
            SettingsArgs(namespace=args.namespace, labels=its_labels, data={SCRIPT.name: SCRIPT.read_text()}),
            opts=child,
        )
        account = service_account(name, args.namespace, its_labels, args.pull_secret, self)
        _allow(name, args, self)
        template: PodTemplateSpecArgsDict = {
            "metadata": {"labels": its_labels},
            "spec": {**_pod(args, account, script.config_map), "restart_policy": "Never"},
        }
        k8s.batch.v1.CronJob(
            f"{name}-job",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={
                "schedule": "* * * * *",
                "concurrency_policy": "Forbid",
                "successful_jobs_history_limit": 1,
                "failed_jobs_history_limit": 1,
                "job_template": {
                    "metadata": {"labels": its_labels},
                    "spec": {
                        "backoff_limit": 0,
                        "active_deadline_seconds": TIMEOUT_SECONDS,
                        "template": template,
                    },
                },
            },
            opts=child,
        )
        self.register_outputs({})


def _allow(name: str, args: RollbackArgs, parent: ComponentResource) -> None:
    """Let the account read the Rollout, the ReplicaSets behind it, and the ImageUpdater."""
    beside: list[dict[str, Any]] = [
        {"api_groups": ["argoproj.io"], "resources": ["rollouts"], "resource_names": [args.rollout], "verbs": ["get"]},
        {"api_groups": ["apps"], "resources": ["deployments"], "resource_names": [args.deployment], "verbs": ["get"]},
        # Their names end in a hash that nobody knows before.
        {"api_groups": ["apps"], "resources": ["replicasets"], "verbs": ["get"]},
    ]
    subject = {"kind": "ServiceAccount", "name": name, "namespace": args.rollout_namespace}
    _role(name, args.namespace, beside, subject, parent)
    if args.updater:
        group = "argocd-image-updater.argoproj.io"
        one = {"api_groups": [group], "resources": ["imageupdaters"], "resource_names": [args.updater]}
        _role(f"{name}-updater", args.updater_namespace, [{**one, "verbs": ["get"]}], subject, parent)


def _role(
    role: str, namespace: Input[str], rules: list[Any], subject: Mapping[str, str], parent: ComponentResource
) -> None:
    metadata: Any = {"name": role, "namespace": namespace, "labels": labels("delivery", subject["name"])}
    child = ResourceOptions(parent=parent)
    k8s.rbac.v1.Role(f"{role}-role", metadata=metadata, rules=rules, opts=child)
    k8s.rbac.v1.RoleBinding(
        f"{role}-binding",
        metadata=metadata,
        role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        subjects=[{"kind": subject["kind"], "name": subject["name"], "namespace": subject["namespace"]}],
        opts=child,
    )


def _pod(args: RollbackArgs, account: Input[str], script: Input[str]) -> PodSpecArgsDict:
    token: VolumeArgsDict = {
        "name": "account",
        # In place of the token that every pod could have: this one ends with the Job.
        "projected": {
            "default_mode": 0o440,
            "sources": [
                {"service_account_token": {"path": "token", "expiration_seconds": TOKEN_SECONDS}},
                {"config_map": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            ],
        },
    }
    container, trust = _container(args), args.trusts_authorities
    return pod_spec(
        service_account=account,
        init_containers=[authorities.bundle_writer(args.image)] if trust else [],
        containers=[{**container, "env": authorities.BUNDLE_ENVIRONMENT} if trust else container],
        folders=[
            Folder.of_config("script", SCRIPT_FOLDER, script),
            Folder.of_secret("credentials", CREDENTIALS_FOLDER, args.credentials),
            Folder(volume=token, mounts=({"name": "account", "mount_path": ACCOUNT_FOLDER, "read_only": True},)),
            *(authorities.bundle_folders() if trust else ()),
        ],
    )


def _container(args: RollbackArgs) -> ContainerArgsDict:
    options = {
        "rollout": f"{args.rollout_namespace}/{args.rollout}",
        "deployment": f"{args.rollout_namespace}/{args.deployment}",
        "repository": args.repository,
        "branch": args.branch,
        "overlay": args.overlay,
        "credentials": CREDENTIALS_FOLDER,
        **({"refused": args.refused} if args.refused else {}),
        **({"updater": f"{args.updater_namespace}/{args.updater}"} if args.updater else {}),
    }
    return {
        "name": "rollback",
        "image": args.image,
        "command": ["python3", f"{SCRIPT_FOLDER}/{SCRIPT.name}"],
        "args": [f"--{option}={value}" for option, value in options.items()],
        "resources": resources(cpu_millicores=500, memory_mib=args.memory_mib),
    }
