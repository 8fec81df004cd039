"""The volume with the versions of the model, what fills it, and what empties it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.chat.model_download import ModelDownload, ModelDownloadArgs
from infra.chat.model_prune import ModelPrune, ModelPruneArgs
from infra.chat.names import DOWNLOAD_SCRIPT, ENGINE, MODELS_FOLDER, engine_url
from infra.chat.store_pod import model_folder
from infra.cluster import labels
from infra.config.chat_models import ModelConfig
from infra.storage.volume import Volume, VolumeArgs
from infra.workload import Settings, SettingsArgs, service_account


@dataclass(frozen=True, kw_only=True)
class ModelStoreArgs:
    """What a :class:`ModelStore` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: Input[str]
    """Any image with Python 3.11; the api's is small and pulled anyway."""
    models: Mapping[str, ModelConfig]
    """Name -> version that is to be in the store."""
    serving: str | None
    """Which of them the engine serves; None: none yet."""
    secret: Input[str]
    """Name of the Secret with ``engine-key``."""
    storage_class: str
    """StorageClass of the volume."""
    storage_gib: int
    """Size of the volume."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""
    authorities: str | None = None
    """Changes with the authorities in the namespace's ConfigMap; absent: the public ones only."""


class ModelStore(ComponentResource):
    """One volume, a Job per version that fetches and verifies it, and a prune that a person starts.

    A version that leaves the list stays in the store until then, so that going back is a change of one field.
    """

    claim: Output[str]
    """Name of the claim, known once the version that serves is there and verified."""

    def __init__(self, name: str, args: ModelStoreArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:chat:ModelStore", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("chat", name)
        volume = Volume(
            name,
            VolumeArgs(
                namespace=args.namespace,
                labels=its_labels,
                storage_class=args.storage_class,
                storage_gib=args.storage_gib,
            ),
            opts=child,
        )
        data = {DOWNLOAD_SCRIPT.name: DOWNLOAD_SCRIPT.read_text()}
        script = Settings(
            f"{name}-script", SettingsArgs(namespace=args.namespace, labels=its_labels, data=data), opts=child
        )
        account = service_account(name, args.namespace, its_labels, args.pull_secret, self)
        jobs = {
            version: ModelDownload(
                f"{name}-download-{version}",
                ModelDownloadArgs(
                    namespace=args.namespace,
                    image=args.image,
                    version=version,
                    model=model,
                    claim=volume.claim,
                    account=account,
                    script=script.config_map,
                    labels=labels("chat", name, f"{name}-download"),
                    authorities=args.authorities,
                ),
                opts=child,
            ).job
            for version, model in args.models.items()
        }
        ModelPrune(
            f"{name}-prune",
            ModelPruneArgs(
                namespace=args.namespace,
                image=args.image,
                claim=volume.claim,
                account=account,
                keep=[
                    model_folder(version, model).removeprefix(f"{MODELS_FOLDER}/")
                    for version, model in args.models.items()
                ],
                engine_url=engine_url(ENGINE, args.namespace),
                secret=args.secret,
            ),
            opts=child,
        )
        # Whoever mounts the claim waits for the version that serves, and for no other.
        awaited = [jobs[args.serving]] if args.serving else []
        self.claim = Output.all(volume.claim, *awaited).apply(lambda names: str(names[0]))
        self.register_outputs({"claim": self.claim})
