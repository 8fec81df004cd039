"""Where builds run: a namespace's account, and the volume that keeps layers between them."""

from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.cluster import labels
from infra.storage.volume import Volume, VolumeArgs
from infra.workload import service_account

CACHE_CLAIM = "build-cache"


@dataclass(frozen=True, kw_only=True)
class BuildsArgs:
    """What :class:`Builds` needs from its caller."""

    namespace: Input[str]
    """Namespace of the pods."""
    component: str
    """Their component, and the name of their account."""
    storage_class: str
    """StorageClass of the cache."""
    cache_gib: int | None = None
    """Size of the cache; None: none is kept."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the builder's image with; absent: none is needed."""


class Builds(ComponentResource):
    """What the pods of pipelines refer to by name; the pods themselves come and go with the builds."""

    account: Output[str]
    """Name of the pods' ServiceAccount."""

    def __init__(self, name: str, args: BuildsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:ci:Builds", name, {}, opts)
        its_labels = labels("ci", args.component)
        if args.cache_gib:
            Volume(
                CACHE_CLAIM,
                VolumeArgs(
                    namespace=args.namespace,
                    labels=its_labels,
                    storage_class=args.storage_class,
                    storage_gib=args.cache_gib,
                ),
                opts=ResourceOptions(parent=self),
            )
        self.account = service_account(args.component, args.namespace, its_labels, args.pull_secret, self)
        self.register_outputs({"account": self.account})
