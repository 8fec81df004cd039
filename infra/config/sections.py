"""What can be configured: one section per room, defaults here and nowhere else."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from infra.config.types import (
    Cron,
    DnsLabel,
    Gib,
    HostName,
    Image,
    Mib,
    Millicores,
    ModelId,
    RegistryHost,
    Revision,
    Section,
    Url,
)


class ClusterConfig(Section):
    """Which cluster the stack is deployed to."""

    context: str | None = None
    """Context of the kubeconfig; absent: the current one."""
    node_address: str = "127.0.0.1"
    """Where people reach the node ports: this machine, or the address of a node."""


class NetworkConfig(Section):
    """How traffic enters the cluster."""

    ingress_class: DnsLabel = "nginx"
    """IngressClass of every Ingress."""
    ingress_namespace: DnsLabel = "ingress-nginx"
    """Namespace of the ingress controller's pods: only they may call what is exposed by host name."""
    ingress_port: Annotated[int, Field(ge=1, le=65535, strict=True)] | None = None
    """Port under which people reach the controller; absent: the standard one, 80 or 443."""
    cluster_issuer: DnsLabel | None = None
    """cert-manager's ClusterIssuer of the certificates; absent: plain HTTP."""


class StorageConfig(Section):
    """Where volumes come from."""

    storage_class: DnsLabel = Field(alias="class")
    """StorageClass of every volume, e.g. ``longhorn`` or ``local-path``."""


class RegistryServerConfig(Section):
    """A registry of our own, inside the cluster; nodes reach it on the port of ``registry.host``."""

    namespace: DnsLabel = "registry"
    """A namespace of its own: a host port is the one thing here that Pod Security `restricted` forbids."""
    image: Image
    """The registry's image; it must reach the node without a registry."""
    storage_gib: Gib = 20
    """Volume for the layers; the engine's image alone takes about 4."""
    listen_address: str | None = None
    """Address of the node on which it listens, e.g. ``127.0.0.1`` on a single node; absent: all of them."""
    basic_auth: bool = False
    """Demand a login; then `aihub:registryHtpasswd` holds the accounts."""
    tls_secret: DnsLabel | None = None
    """Secret of type kubernetes.io/tls in the namespace; absent: plain HTTP."""
    garbage_collection: Cron = "0 4 * * 0"
    """When layers that no tag needs are removed: a time when nobody pushes."""


class RegistryConfig(Section):
    """Where images live and what they are built from."""

    host: RegistryHost
    """Address as in image references, e.g. ``registry.local:5000``."""
    project: DnsLabel = "aihub"
    """First path segment of our images (Harbor calls it a project)."""
    base_image: Image
    """Image that every Dockerfile of ours starts from: Debian 12 with Python 3.11."""
    username: str | None = None
    """Account for pushing and pulling, with `aihub:registryPassword`; absent: none is needed."""
    mirror: tuple[Image, ...] = ()
    """Third-party images that are copied to ``host/mirror/``."""
    server: RegistryServerConfig | None = None
    """Declare a registry of our own; absent: the one at ``host`` exists already."""

    @model_validator(mode="after")
    def _server_has_a_port(self) -> "RegistryConfig":
        if self.server and ":" not in self.host:
            raise ValueError("registry.server listens on the port of registry.host, which names none: use HOST:PORT")
        if self.server and self.server.basic_auth and not self.username:
            raise ValueError("registry.server.basicAuth locks out our own pushes: set registry.username too")
        return self


class VaultConfig(Section):
    """Secrets that External Secrets copies from Vault."""

    store: DnsLabel
    """ClusterSecretStore of the cluster."""
    path: str = "aihub"
    """Entry below the store's mount; its properties are named like our secret keys (redisPassword ...)."""


class SecretsConfig(Section):
    """Where secrets come from."""

    vault: VaultConfig | None = None
    """Absent: the stack's own encrypted configuration."""


class RedisConfig(Section):
    """Chat history."""

    image: Image | None = None
    """Absent: built from ``images/redis``."""
    storage_gib: Gib = 2
    """Volume of the append-only file; about twice the data."""
    memory_mib: Mib = 512
    """Memory limit; three quarters of it are Redis' maxmemory."""


class ChromaConfig(Section):
    """Documents and their embeddings."""

    image: Image | None = None
    """Absent: built from ``images/chroma``."""
    storage_gib: Gib = 5
    """Volume of passages, vectors and their index."""
    memory_mib: Mib = 1024
    """Memory limit; the index of a collection in use is held in memory."""


class DataConfig(Section):
    """What the chat remembers."""

    namespace: DnsLabel = "data"
    redis: RedisConfig = RedisConfig()
    chroma: ChromaConfig = ChromaConfig()


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


class DeliveryConfig(Section):
    """The Git repository that Argo CD follows."""

    repository: Url | None = None
    """Its address; needed as soon as anything is delivered by Argo CD."""
    branch: str = "main"
    path: str = "gitops-apps"
    """Folder of the rendered tree in the repository."""
    namespace: DnsLabel = "argocd"
    """Namespace in which Argo CD looks for its Applications."""


class StackConfig(Section):
    """The whole configuration of a stack but its secrets."""

    cluster: ClusterConfig = ClusterConfig()
    network: NetworkConfig = NetworkConfig()
    storage: StorageConfig
    registry: RegistryConfig
    secrets: SecretsConfig = SecretsConfig()
    data: DataConfig = DataConfig()
    chat: ChatConfig
    delivery: DeliveryConfig = DeliveryConfig()

    @model_validator(mode="after")
    def _argocd_needs_a_repository(self) -> "StackConfig":
        if self.chat.delivery == "argocd" and not self.delivery.repository:
            raise ValueError("chat.delivery is argocd, which needs delivery.repository: set it, or deliver by pulumi")
        return self

    @model_validator(mode="after")
    def _namespaces_differ(self) -> "StackConfig":
        registry = {self.registry.server.namespace} if self.registry.server else set()
        if self.data.namespace == self.chat.namespace or registry & {self.data.namespace, self.chat.namespace}:
            raise ValueError("data.namespace, chat.namespace and registry.server.namespace must differ")
        return self
