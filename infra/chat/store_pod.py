"""A pod that works on the model store: one of our scripts, standard library only, beside whoever mounts the volume."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pulumi import Input
from pulumi_kubernetes.core.v1 import ContainerArgsDict, PodSpecArgsDict

from infra.chat.names import ENGINE, MODELS_FOLDER
from infra.cluster import selector
from infra.config.chat_models import ModelConfig
from infra.folders import Folder
from infra.network import authorities
from infra.workload import pod_spec, resources

SCRIPTS_FOLDER = "/etc/models"
MEMORY_MIB = 256


def model_folder(version: str, model: ModelConfig) -> str:
    """Return where a version lies in every container that mounts the store: other content, another folder."""
    return f"{MODELS_FOLDER}/{version}-{model.source.content_id}"


@dataclass(frozen=True, kw_only=True)
class StorePodArgs:
    """What :func:`store_pod` needs from its caller."""

    name: str
    """Name of the container."""
    image: Input[str]
    """Any image with Python 3.11."""
    claim: Input[str]
    """Claim of the store."""
    account: Input[str]
    """ServiceAccount of the pod."""
    script: Path
    """The script."""
    script_map: Input[str]
    """ConfigMap that holds it under its name."""
    arguments: Sequence[Input[str]]
    """Its command line."""
    folders: Sequence[Folder] = ()
    """What it finds beside store and script."""
    trusts_authorities: bool = False
    """Whether the namespace has a ConfigMap of authorities, to be trusted beside the public ones."""


def store_pod(args: StorePodArgs) -> PodSpecArgsDict:
    """Return the pod; it runs on the engine's node if there is one, since the volume is there."""
    container: ContainerArgsDict = {
        "name": args.name,
        "image": args.image,
        "command": ["python3", f"{SCRIPTS_FOLDER}/{args.script.name}"],
        "args": list(args.arguments),
        "resources": resources(cpu_millicores=1000, memory_mib=MEMORY_MIB),
    }
    pod = pod_spec(
        service_account=args.account,
        containers=[{**container, "env": authorities.ENVIRONMENT} if args.trusts_authorities else container],
        folders=[
            Folder.of_claim("models", MODELS_FOLDER, args.claim),
            Folder.of_config("script", SCRIPTS_FOLDER, args.script_map),
            *args.folders,
            *([authorities.folder()] if args.trusts_authorities else ()),
        ],
    )
    return {
        **pod,
        "affinity": {
            "pod_affinity": {
                "preferred_during_scheduling_ignored_during_execution": [
                    {
                        "weight": 100,
                        "pod_affinity_term": {
                            "label_selector": {"match_labels": selector(ENGINE)},
                            "topology_key": "kubernetes.io/hostname",
                        },
                    }
                ]
            }
        },
    }
