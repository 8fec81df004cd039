"""The chat itself."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from infra.config.chat_models import ModelConfig, ModelStoreConfig
from infra.config.types import DnsLabel, HostName, Mib, Millicores, Section

Replicas = Annotated[int, Field(ge=1, le=50, strict=True)]
"""Number of pods."""


class ExposureConfig(Section):
    """How people reach the chat: exactly one of the two."""

    node_port: Annotated[int, Field(ge=30000, le=32767, strict=True)] | None = None
    """Port of every node."""
    host: HostName | None = None
    """Host name of an Ingress."""

    @model_validator(mode="after")
    def _one_of_two(self) -> "ExposureConfig":
        if (self.node_port is None) == (self.host is None):
            raise ValueError("set exactly one of nodePort and host")
        return self


class ApiConfig(Section):
    """The half that people talk to: conversations, documents, and the page where it has no pods of its own."""

    replicas: Replicas = 2
    cpu_millicores: Millicores = 1000
    """CPU limit of one replica; a tenth is reserved."""
    memory_mib: Mib = 768
    """Memory of one replica, reserved whole."""
    rollout: Literal["rolling", "canary", "blueGreen"] = "rolling"
    """How a new version takes over. The last two ask the new pods how they do, and go back when they do badly; they
    need Argo Rollouts."""


class PageConfig(Section):
    """The page as a workload of its own."""

    replicas: Replicas = 2
    cpu_millicores: Millicores = 200
    """CPU limit of one replica; a tenth is reserved."""
    memory_mib: Mib = 64
    """Memory of one replica, reserved whole."""


class EngineConfig(Section):
    """The half that computes: chat model and embedding model."""

    model: DnsLabel | None = None
    """Which of ``models`` serves; absent: no chat model, answers are quotations."""
    cpu_millicores: Millicores = 2000
    """CPU limit; a tenth is reserved."""
    memory_mib: Mib = 4096
    """Memory, reserved whole. On the CPU: the weights and 2 GiB. On a GPU the weights are read through the page cache,
    which needs no room of its own (docs/decisions/0604): 6 GiB for PyTorch, CUDA and the embedding model."""
    shared_memory_mib: Mib = 256
    """Size of /dev/shm; it counts against ``memory_mib``."""
    gpu_count: Annotated[int, Field(ge=0, le=16, strict=True)] = 0
    """GPUs of the pod (`nvidia.com/gpu`)."""
    gpu_memory_gib: Annotated[int, Field(ge=2, le=1024, strict=True)] | None = None
    """Memory that the engine may take of each card: weights, conversations in progress, 1 GiB for CUDA itself. Held to
    it where `gpu.memoryGib` is stated. Must be set where others use the card, too; absent: the whole card."""
    runtime_class: DnsLabel | None = None
    """RuntimeClass that gives a container the GPU, e.g. ``nvidia``; absent: ``gpu.runtimeClass`` where this stack sets
    cards up, else the node's default runtime."""

    @model_validator(mode="after")
    def _runtime_class_needs_a_gpu(self) -> "EngineConfig":
        if self.runtime_class and not self.gpu_count:
            raise ValueError("runtimeClass is for GPUs, but gpuCount is 0: set gpuCount or leave runtimeClass out")
        return self

    @model_validator(mode="after")
    def _gpu_memory_needs_a_gpu(self) -> "EngineConfig":
        if self.gpu_memory_gib and not self.gpu_count:
            raise ValueError("gpuMemoryGib is set, but gpuCount is 0: set gpuCount or leave gpuMemoryGib out")
        return self


class ChatConfig(Section):
    """The chat itself."""

    namespace: DnsLabel = "chat"
    delivery: Literal["pulumi", "argocd"] = "pulumi"
    """Who rolls the workload out: this program, or Argo CD from the tree that `make render` writes."""
    exposure: ExposureConfig
    models: dict[DnsLabel, ModelConfig] = Field(default_factory=dict)
    """Name -> version of a chat model. Each is fetched and verified before it serves; ``engine.model`` says which."""
    model_store: ModelStoreConfig = ModelStoreConfig()
    page: PageConfig | None = None
    """Absent: the api serves the page."""
    api: ApiConfig = ApiConfig()
    engine: EngineConfig = EngineConfig()

    @model_validator(mode="after")
    def _model_is_listed(self) -> "ChatConfig":
        if self.engine.model and self.engine.model not in self.models:
            raise ValueError("engine.model names no version in models: list it there, or name one that is listed")
        return self

    @model_validator(mode="after")
    def _names_fit(self) -> "ChatConfig":
        # A Job's name becomes a label of its pods, at most 63 characters, and carries the version's name.
        if any(len(name) > 32 for name in self.models):
            raise ValueError("models: a version's name may have at most 32 characters")
        return self

    @model_validator(mode="after")
    def _page_needs_a_host(self) -> "ChatConfig":
        if self.page and not self.exposure.host:
            raise ValueError("page needs exposure.host: an Ingress parts page and api; set it, or leave page out")
        return self
