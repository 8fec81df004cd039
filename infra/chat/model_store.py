"""Where the weights lie, and the Job that fetches them before the engine starts."""

from dataclasses import dataclass
from pathlib import Path

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict

from infra.chat.names import MODELS_FOLDER, model_folder
from infra.cluster import labels, selector
from infra.storage.volume import Volume, VolumeArgs
from infra.workload import Settings, SettingsArgs, content_hash, pod_spec, resources, service_account

SCRIPT = Path(__file__).with_name("download_model.py")
DOWNLOAD_TIMEOUT_SECONDS = 6 * 3600


@dataclass(frozen=True, kw_only=True)
class ModelStoreArgs:
    """What a :class:`ModelStore` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: Input[str]
    """Any image with Python 3.11; the api's is small and pulled anyway."""
    hub: str
    """Address of the model hub."""
    model_id: str
    """Repository on it."""
    revision: str
    """Commit of the repository."""
    storage_class: str
    """StorageClass of the volume."""
    storage_gib: int
    """Size of the volume."""
    used_by: str
    """Component that mounts the volume; the Job runs on its node if there is one, since the volume is there."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class ModelStore(ComponentResource):
    """A volume with one model; done when every file of it is there and has the hash that the hub publishes."""

    claim: Output[str]
    """Name of the claim."""

    def __init__(self, name: str, args: ModelStoreArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:chat:ModelStore", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("chat", name)
        volume = Volume(
            f"{name}-models",
            VolumeArgs(
                namespace=args.namespace,
                labels=its_labels,
                storage_class=args.storage_class,
                storage_gib=args.storage_gib,
            ),
            opts=child,
        )
        script = Settings(
            f"{name}-script",
            SettingsArgs(namespace=args.namespace, labels=its_labels, data={SCRIPT.name: SCRIPT.read_text()}),
            opts=child,
        )
        account = service_account(name, args.namespace, its_labels, args.pull_secret, self)
        pod = pod_spec(
            service_account=account,
            containers=[_container(name, args)],
            volumes=[
                {"name": "models", "persistent_volume_claim": {"claim_name": volume.claim}},
                {"name": "script", "config_map": {"name": script.config_map}},
            ],
        )
        # A Job cannot be changed: another image, model or script makes another one, which finds its files in place.
        identity = Output.all(image=args.image, script=script.config_map, model=f"{args.model_id}@{args.revision}")
        download = k8s.batch.v1.Job(
            f"{name}-job",
            metadata={
                "name": identity.apply(lambda parts: f"{name}-{content_hash(parts)}"),
                "namespace": args.namespace,
                "labels": its_labels,
            },
            spec={
                "backoff_limit": 6,
                "active_deadline_seconds": DOWNLOAD_TIMEOUT_SECONDS,
                "template": {
                    "metadata": {"labels": its_labels},
                    "spec": {
                        **pod,
                        "restart_policy": "OnFailure",
                        "affinity": {
                            "pod_affinity": {
                                "preferred_during_scheduling_ignored_during_execution": [
                                    {
                                        "weight": 100,
                                        "pod_affinity_term": {
                                            "label_selector": {"match_labels": selector(args.used_by)},
                                            "topology_key": "kubernetes.io/hostname",
                                        },
                                    }
                                ]
                            }
                        },
                    },
                },
            },
            opts=ResourceOptions(parent=self, custom_timeouts=CustomTimeouts(create=f"{DOWNLOAD_TIMEOUT_SECONDS}s")),
        )
        # Whoever mounts the claim waits for the Job.
        self.claim = Output.all(volume.claim, download.metadata["name"]).apply(lambda names: str(names[0]))
        self.register_outputs({"claim": self.claim})


def _container(name: str, args: ModelStoreArgs) -> ContainerArgsDict:
    return {
        "name": name,
        "image": args.image,
        "command": ["python3", f"/etc/model-download/{SCRIPT.name}"],
        "args": [args.hub, args.model_id, args.revision, model_folder(args.model_id, args.revision)],
        "resources": resources(cpu_millicores=1000, memory_mib=256),
        "volume_mounts": [
            {"name": "models", "mount_path": MODELS_FOLDER},
            {"name": "script", "mount_path": "/etc/model-download", "read_only": True},
        ],
    }
