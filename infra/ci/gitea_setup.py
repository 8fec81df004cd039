"""What a Gitea must hold: repositories, writers, webhooks."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Output, Resource, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, EnvVarArgsDict

from infra.ci.git import ADMIN
from infra.ci.gitea_config import SECRETS
from infra.cluster import labels
from infra.folders import Folder
from infra.workload import Settings, SettingsArgs, content_hash, pod_spec, resources, service_account

SCRIPT = Path(__file__).with_name("set_up_gitea.py")
COMPONENT = "gitea-setup"
FOLDER = "/opt/gitea-setup"
TIMEOUT_SECONDS = 300


EVENTS = {"push": ("push",), "review": ("pull_request", "pull_request_sync")}
"""Kind of event -> Gitea's names for it."""


@dataclass(frozen=True, kw_only=True)
class GiteaWebhook:
    """What is called when something happens to a repository."""

    repository: str
    """Its name."""
    url: str
    """What is called."""
    events: tuple[str, ...]
    """On what, by Gitea's names."""
    secret_file: str
    """File with what signs the calls."""


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
    """Their names."""
    writers: Sequence[str]
    """Accounts that may write to all of them."""
    secrets: Input[str]
    """Name of the Secret with ``admin-password`` and the files of webhooks."""
    secrets_version: Input[str]
    """Changes with it; then the Job runs again."""
    webhooks: Sequence[GiteaWebhook] = ()
    """What is called."""
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
        webhooks = json.dumps([asdict(webhook) for webhook in args.webhooks])
        env: list[EnvVarArgsDict] = [
            {"name": "GITEA_URL", "value": args.url},
            {"name": "ORGANISATION", "value": args.organisation},
            {"name": "REPOSITORIES", "value": " ".join(args.repositories)},
            {"name": "WRITERS", "value": " ".join(args.writers)},
            {"name": "ADMIN", "value": ADMIN},
            {"name": "FOLDER", "value": SECRETS},
            {"name": "WEBHOOKS", "value": webhooks},
        ]
        container: ContainerArgsDict = {
            "name": "set-up",
            "image": args.image,
            "command": ["python3", f"{FOLDER}/{SCRIPT.name}"],
            "env": env,
            "resources": resources(cpu_millicores=200, memory_mib=64),
        }
        pod = pod_spec(
            service_account=account,
            containers=[container],
            folders=[
                Folder.of_config("script", FOLDER, script.config_map),
                Folder.of_secret("secrets", SECRETS, args.secrets),
            ],
        )
        identity = Output.all(
            script=script.config_map,
            secrets=args.secrets_version,
            what=" ".join([args.image, args.organisation, *args.repositories, "+", *args.writers, webhooks]),
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
