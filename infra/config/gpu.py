"""The NVIDIA cards of the nodes, and how pods share them."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from infra.config.types import DnsLabel, Gib, Section


class SharingConfig(Section):
    """One card for several pods in turns (time-slicing): none of them has memory of its own there."""

    replicas: Annotated[int, Field(ge=2, le=64, strict=True)]
    """How many pods a card takes; each asks for one `nvidia.com/gpu`."""
    fail_requests_greater_than_one: bool = True
    """Refuse a pod that asks for two: it would get no more of the card than with one."""


class GpuConfig(Section):
    """The NVIDIA cards: what lets pods ask for one. Empty: the cluster's own support is used, if a pod asks."""

    count: Annotated[int, Field(ge=0, le=16, strict=True)] | None = None
    """Cards that this stack makes usable; 0: none, everything runs on the processor; absent: not this stack's task."""
    memory_gib: Gib | None = None
    """Memory of one card: what the stated shares of its users must fit into."""
    namespace: DnsLabel = "gpu"
    runtime_class: DnsLabel = "nvidia"
    """RuntimeClass that is made, and name of the runtime in containerd's configuration."""
    nodes: Literal["labelled", "all"] = "labelled"
    """Where the device plugin runs: on nodes labelled `nvidia.com/gpu.present=true` (Node Feature Discovery finds the
    card there), or on all: under WSL2 no PCI device shows the card, so nothing would find it."""
    sharing: SharingConfig | None = None
    """Absent: a card belongs to one pod."""

    @property
    def slots(self) -> int:
        """How many `nvidia.com/gpu` the cards of this stack give together."""
        return (self.count or 0) * (self.sharing.replicas if self.sharing else 1)

    @property
    def is_set_up(self) -> bool:
        """Whether this stack makes cards usable."""
        return bool(self.count)

    def runtime_for(self, gpu_count: int) -> str | None:
        """Return the RuntimeClass of a pod that asks for ``gpu_count`` and names none; None: the node's default."""
        return self.runtime_class if gpu_count and self.is_set_up else None

    def trouble(self, requests: Mapping[str, int]) -> str | None:
        """Return why pods cannot have the cards that they ask for, naming both sides and the fix.

        Args:
            requests: field that asks, e.g. ``chat.engine.gpuCount`` -> how many `nvidia.com/gpu`.
        """
        asked = {field: number for field, number in requests.items() if number}
        if self.count is None or not asked:
            return None
        fields = " + ".join(asked)
        if not self.count:
            return f"{fields} asks for a GPU, but gpu.count is 0: set it to 0 too (the processor), or gpu.count to 1"
        if self.sharing and self.sharing.fail_requests_greater_than_one and any(n > 1 for n in asked.values()):
            return f"{fields} asks for more than one share of a card, which gives no more of it: ask for 1"
        if sum(asked.values()) > self.slots:
            return f"{fields} is {sum(asked.values())}, but gpu gives {self.slots}: raise gpu.count or gpu.sharing"
        return None

    def memory_trouble(self, shares_gib: Mapping[str, int | None]) -> str | None:
        """Return why the users of one card do not fit into its memory; None where they do, or nothing is known of it.

        Args:
            shares_gib: field that states a share, e.g. ``chat.engine.gpuMemoryGib`` -> GiB; None: not stated.
        """
        unstated = [field for field, share in shares_gib.items() if share is None]
        if self.sharing and unstated:
            return f"gpu.sharing lets others use the card, so each must state its part: set {', '.join(unstated)}"
        total = sum(share or 0 for share in shares_gib.values())
        if self.memory_gib is None or total <= self.memory_gib:
            return None
        return f"{' + '.join(shares_gib)} is {total} GiB, but a card has gpu.memoryGib {self.memory_gib}: lower it"

    @model_validator(mode="after")
    def _sharing_needs_a_card(self) -> "GpuConfig":
        if self.sharing and not self.count:
            raise ValueError("sharing is for the cards of this stack, and count names none: set count")
        return self
