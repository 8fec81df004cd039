"""What takes old versions of the model out of the store, when a person says so."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.chat.names import MODELS_FOLDER, PRUNE_SCRIPT, SECRETS_FOLDER
from infra.chat.store_pod import StorePodArgs, store_pod
from infra.cluster import labels
from infra.folders import Folder
from infra.workload import Settings, SettingsArgs

TIMEOUT_SECONDS = 600
NEVER = "0 0 29 2 *"
"""A CronJob must have a schedule; this one is suspended."""


@dataclass(frozen=True, kw_only=True)
class ModelPruneArgs:
    """What a :class:`ModelPrune` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: Input[str]
    """Any image with Python 3.11."""
    claim: Input[str]
    """Claim of the store."""
    account: Input[str]
    """ServiceAccount of the pod."""
    keep: Sequence[str]
    """Folders of the listed versions, by name."""
    engine_url: Input[str]
    """Base URL of the engine, which is asked what it serves."""
    secret: Input[str]
    """Name of the Secret with ``engine-key``."""


class ModelPrune(ComponentResource):
    """A suspended CronJob: the template of a Job that a person makes with one line (docs/models.md)."""

    cron_job: Output[str]
    """Name of the CronJob."""

    def __init__(self, name: str, args: ModelPruneArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:chat:ModelPrune", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("chat", name)
        data = {PRUNE_SCRIPT.name: PRUNE_SCRIPT.read_text()}
        script = Settings(
            f"{name}-script", SettingsArgs(namespace=args.namespace, labels=its_labels, data=data), opts=child
        )
        key = f"{SECRETS_FOLDER}/engine-key"
        listed = [part for folder in sorted(args.keep) for part in ("--keep", folder)]
        pod = store_pod(
            StorePodArgs(
                name="prune",
                image=args.image,
                claim=args.claim,
                account=args.account,
                script=PRUNE_SCRIPT,
                script_map=script.config_map,
                arguments=["--store", MODELS_FOLDER, "--engine", args.engine_url, "--key-file", key, *listed],
                folders=[Folder.of_secret("secrets", SECRETS_FOLDER, args.secret, files=["engine-key"])],
            )
        )
        cron_job = k8s.batch.v1.CronJob(
            f"{name}-cron-job",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={
                "schedule": NEVER,
                "suspend": True,
                "concurrency_policy": "Forbid",
                "job_template": {
                    "metadata": {"labels": its_labels},
                    "spec": {
                        "backoff_limit": 0,
                        "active_deadline_seconds": TIMEOUT_SECONDS,
                        "ttl_seconds_after_finished": 86400,
                        "template": {"metadata": {"labels": its_labels}, "spec": {**pod, "restart_policy": "Never"}},
                    },
                },
            },
            opts=child,
        )
        self.cron_job = cron_job.metadata["name"]
        self.register_outputs({"cron_job": self.cron_job})
