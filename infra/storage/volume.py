"""One volume of one store."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions


@dataclass(frozen=True, kw_only=True)
class VolumeArgs:
    """What a :class:`Volume` needs from its caller."""

    namespace: Input[str]
    """Namespace of the claim."""
    labels: Mapping[str, Input[str]]
    """Labels of the claim."""
    storage_class: str
    """StorageClass, e.g. ``longhorn``."""
    storage_gib: int
    """Size; growing it resizes the claim in place where the StorageClass can."""
    access_mode: str = "ReadWriteOnce"
    """Who may mount it at a time: one node, or with ``ReadWriteOncePod`` one pod."""


class Volume(ComponentResource):
    """A claim that outlives its store: ``destroy`` leaves it, the next ``up`` takes it over.

    A claim of its own instead of a StatefulSet's ``volumeClaimTemplates``: any change there replaces the StatefulSet.
    """

    claim: Output[str]
    """Name of the PersistentVolumeClaim."""

    def __init__(self, name: str, args: VolumeArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:storage:Volume", name, {}, opts)
        claim = k8s.core.v1.PersistentVolumeClaim(
            f"{name}-claim",
            metadata={
                "name": name,
                "namespace": args.namespace,
                "labels": args.labels,
                # Where the StorageClass waits for the first pod (WaitForFirstConsumer), waiting here would be for ever.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            spec={
                "access_modes": [args.access_mode],
                "storage_class_name": args.storage_class,
                "resources": {"requests": {"storage": f"{args.storage_gib}Gi"}},
            },
            opts=ResourceOptions(parent=self, retain_on_delete=True),
        )
        self.claim = claim.metadata["name"]
        self.register_outputs({"claim": self.claim})
