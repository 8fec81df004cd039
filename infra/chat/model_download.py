"""The Job that fetches one version of the model."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Output, ResourceOptions

from infra.chat.names import DOWNLOAD_SCRIPT
from infra.chat.store_pod import StorePodArgs, model_folder, store_pod
from infra.config.chat_models import ModelConfig
from infra.workload import content_hash

TIMEOUT_SECONDS = 6 * 3600


@dataclass(frozen=True, kw_only=True)
class ModelDownloadArgs:
    """What a :class:`ModelDownload` needs from its caller."""

    namespace: Input[str]
    """Namespace of the Job."""
    image: Input[str]
    """Any image with Python 3.11."""
    version: str
    """Name of the version."""
    model: ModelConfig
    """Where it comes from."""
    claim: Input[str]
    """Claim of the store."""
    account: Input[str]
    """ServiceAccount of the pod."""
    script: Input[str]
    """ConfigMap with the script."""
    labels: Mapping[str, Input[str]]
    """Labels of the Job and of its pod, by which its flows are allowed."""
    authorities: str | None = None
    """Changes with the authorities in the namespace's ConfigMap; absent: the public ones only."""


class ModelDownload(ComponentResource):
    """A Job that ends well when every file of the version is in the store and has the hash it must have."""

    job: Output[str]
    """Name of the Job."""

    def __init__(self, name: str, args: ModelDownloadArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:chat:ModelDownload", name, {}, opts)
        arguments = command_line(args.version, args.model)
        pod = store_pod(
            StorePodArgs(
                name="download",
                image=args.image,
                claim=args.claim,
                account=args.account,
                script=DOWNLOAD_SCRIPT,
                script_map=args.script,
                arguments=arguments,
                trusts_authorities=args.authorities is not None,
            )
        )
        # A Job cannot be changed: another image, source or script makes another one, which finds its files in place.
        trust = {"authorities": args.authorities} if args.authorities else {}
        identity = Output.all(image=args.image, script=args.script, arguments=" ".join(arguments), **trust)
        job = k8s.batch.v1.Job(
            f"{name}-job",
            metadata={
                "name": identity.apply(lambda parts: f"{name}-{content_hash(parts)}"),
                "namespace": args.namespace,
                "labels": args.labels,
            },
            spec={
                "backoff_limit": 6,
                "active_deadline_seconds": TIMEOUT_SECONDS,
                "template": {"metadata": {"labels": args.labels}, "spec": {**pod, "restart_policy": "OnFailure"}},
            },
            opts=ResourceOptions(
                parent=self,
                # Two at once would write into one file.
                delete_before_replace=True,
                custom_timeouts=CustomTimeouts(create=f"{TIMEOUT_SECONDS}s"),
            ),
        )
        self.job = job.metadata["name"]
        self.register_outputs({"job": self.job})


def command_line(version: str, model: ModelConfig) -> list[str]:
    """Return the arguments of the download script."""
    source = model.source
    common = ["--folder", model_folder(version, model), "--quantization", model.quantization]
    if source.repository and source.revision:
        return [*common, "--hub", source.hub, "--repository", source.repository, "--revision", source.revision]
    files = [part for path in sorted(source.files) for part in ("--file", f"{source.files[path]}={path}")]
    return [*common, "--address", str(source.address), *files]
