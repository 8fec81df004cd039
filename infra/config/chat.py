"""The chat itself."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from infra.config.types import DnsLabel, Gib, HostName, Mib, Millicores, ModelId, Revision, Section, Url


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


class ModelConfig(Section):
    """A chat model that is fetched onto a volume before the engine starts."""

    id: ModelId
    """Repository on the hub."""
    revision: Revision
    """Commit of the repository."""
    hub: Url = "https://huggingface.co"
    """The hub, or a mirror of it that speaks its API."""
    storage_gib: Gib = 20
    """Volume of the weights: their size and a tenth."""


class ApiConfig(Section):
    """The half that people talk to: page, conversations, documents."""

    replicas: Annotated[int, Field(ge=1, le=50, strict=True)] = 2
    cpu_millicores: Millicores = 1000
    """CPU limit of one replica; a tenth is reserved."""
    memory_mib: Mib = 768
    """Memory of one replica, reserved whole."""


class EngineConfig(Section):
    """The half that computes: chat model and embedding model."""

    cpu_millicores: Millicores = 2000
    """CPU limit; a tenth is reserved."""
    memory_mib: Mib = 4096
    """Memory, reserved whole; the weights and 2 GiB where there is no GPU."""
    shared_memory_mib: Mib = 256
    """Size of /dev/shm; it counts against ``memory_mib``."""
    gpu_count: Annotated[int, Field(ge=0, le=16, strict=True)] = 0
    """GPUs of the pod (`nvidia.com/gpu`)."""
    runtime_class: DnsLabel | None = None
    """RuntimeClass that gives a container the GPU, e.g. ``nvidia``; absent: the node's default runtime does."""

    @model_validator(mode="after")
    def _runtime_class_needs_a_gpu(self) -> "EngineConfig":
        if self.runtime_class and not self.gpu_count:
            raise ValueError("runtimeClass is for GPUs, but gpuCount is 0: set gpuCount or leave runtimeClass out")
        return self


class ChatConfig(Section):
    """The chat itself."""

    namespace: DnsLabel = "chat"
    delivery: Literal["pulumi", "argocd"] = "pulumi"
    """Who rolls the workload out: this program, or Argo CD from the tree that `make render` writes."""
    exposure: ExposureConfig
    model: ModelConfig | None = None
    """Absent: no chat model; answers are quotations."""
    api: ApiConfig = ApiConfig()
    engine: EngineConfig = EngineConfig()
