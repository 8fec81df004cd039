"""What a Gitea must hold: repositories, writers, the webhook."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Output, Resource, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, EnvVarArgsDict

from infra.ci.git import ADMIN
from infra.ci.gitea_config import SECRETS
from infra.cluster import labels
from infra.workload import Settings, SettingsArgs, content_hash, pod_spec, resources, service_account

SCRIPT = Path(__file__).with_name("set_up_gitea.py")
COMPONENT = "gitea-setup"
FOLDER = "/opt/gitea-setup"
TIMEOUT_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class GiteaSetupArgs:
    """What a :class:`GiteaSetup` needs from its caller."""

    namespace: Input[str]
    """Namespace of the Job: the server's."""
    image: str
    """Image with Python 3.11."""
    url: Input[str]
    """Address of the server within the cluster."""
    organisation: str
    """Owner of the repositories."""
    repositories: Sequence[str]
    """Their names; the first one gets the webhook."""
    writers: Sequence[str]
    """Accounts that may write to all of them."""
    secrets: Input[str]
    """Name of the Secret with ``admin-password`` and, for a webhook, ``webhook-secret``."""
    secrets_version: Input[str]
    """Changes with it; then the Job runs again."""
    webhook_url: str | None = None
    """What a push calls; absent: nothing."""
    after: Sequence[Resource] = ()
    """What must be there before: a webhook that nobody answers yet would lose the first push."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class GiteaSetup(ComponentResource):
    """A Job that runs after each change of what it sets up; it finds the rest in place."""

    job: Output[str]
    """Name of the Job, known once it has succeeded."""

    def __init__(self, name: str, args: GiteaSetupArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:ci:GiteaSetup", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("ci", name)
        data = {SCRIPT.name: SCRIPT.read_text()}
        script = Settings(
            f"{name}-script", SettingsArgs(namespace=args.namespace, labels=its_labels, data=data), opts=child
        )
        account = service_account(name, args.namespace, its_labels, args.pull_secret, self)
        env: list[EnvVarArgsDict] = [
            {"name": "GITEA_URL", "value": args.url},
            {"name": "ORGANISATION", "value": args.organisation},
            {"name": "REPOSITORIES", "value": " ".join(args.repositories)},
            {"name": "WRITERS", "value": " ".join(args.writers)},
            {"name": "ADMIN", "value": ADMIN},
            {"name": "FOLDER", "value": SECRETS},
            {"name": "WEBHOOK_URL", "value": args.webhook_url or ""},
        ]
        container: ContainerArgsDict = {
            "name": "set-up",
            "image": args.image,
            "command": ["python3", f"{FOLDER}/{SCRIPT.name}"],
            "env": env,
            "resources": resources(cpu_millicores=200, memory_mib=64),
            "volume_mounts": [
                {"name": "script", "mount_path": FOLDER, "read_only": True},
                {"name": "secrets", "mount_path": SECRETS, "read_only": True},
            ],
        }
        pod = pod_spec(
            service_account=account,
            containers=[container],
            volumes=[
                {"name": "script", "config_map": {"name": script.config_map}},
                {"name": "secrets", "secret": {"secret_name": args.secrets, "default_mode": 0o440}},
            ],
        )
        identity = Output.all(
            script=script.config_map,
            secrets=args.secrets_version,
            what=" ".join(
                [args.image, args.organisation, *args.repositories, "+", *args.writers, args.webhook_url or ""]
            ),
        )
        job = k8s.batch.v1.Job(
            f"{name}-job",
            metadata={
                "name": identity.apply(lambda parts: f"{name}-{content_hash(parts)}"),
                "namespace": args.namespace,
                "labels": its_labels,
            },
            spec={
                "backoff_limit": 4,
                "active_deadline_seconds": TIMEOUT_SECONDS,
                "template": {"metadata": {"labels": its_labels}, "spec": {**pod, "restart_policy": "OnFailure"}},
            },
            opts=ResourceOptions(
                parent=self,
                depends_on=list(args.after),
                delete_before_replace=True,
                custom_timeouts=CustomTimeouts(create=f"{TIMEOUT_SECONDS}s"),
            ),
        )
        self.job = job.metadata["name"]
        self.register_outputs({"job": self.job})
