"""The five services of AIPP that the vendor makes: what all of them have, and what is special about each."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from infra.config.storage import Folder
from infra.config.types import DnsLabel, Gib, Image, Mib, Millicores, Section, UrlPath

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"[a-z][A-Za-z0-9]*")
_SOUNDS_SECRET = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|(^|_)(PASS|PWD)($|_)|SECRET|TOKEN|CREDENTIAL|API_?KEY|PRIVATE_?KEY|(^|_)KEY$",
    re.IGNORECASE,
)
# What follows a name and `=` or `:`, or stands before the @ of an address; `${...}` is put in by the service itself.
_SETTING = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)[\"']? *[=:] *[\"']?(?!\$\{)[^\s\"'&;,]")
_LOGIN_IN_ADDRESS = re.compile(r"://[^/\s:@]*:(?!\$\{)[^/\s@]+@")


def sounds_secret(variable: str) -> bool:
    """Say whether a variable's name promises a secret; one that names a file does not."""
    return bool(_SOUNDS_SECRET.search(variable)) and not variable.upper().endswith("_FILE")


def holds_secret(value: str) -> bool:
    """Say whether a variable's value carries a secret, e.g. a database's address with `password=...` in it."""
    return bool(_LOGIN_IN_ADDRESS.search(value)) or any(sounds_secret(each[1]) for each in _SETTING.finditer(value))


def _variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise ValueError("must be the name of an environment variable, e.g. SPRING_PROFILES_ACTIVE")
    return value


def _secret(value: str) -> str:
    if not _SECRET.fullmatch(value):
        raise ValueError("must be the key of a secret, e.g. aippDatabasePassword")
    return value


Variable = Annotated[str, AfterValidator(_variable)]
"""Name of an environment variable."""
SecretName = Annotated[str, AfterValidator(_secret)]
"""Key of a secret: a row of `infra/config/secret_keys/`, or with Vault any property of the entry."""
Port = Annotated[int, Field(ge=1024, le=65535, strict=True)]
"""Port that a process without rights may listen at."""
OutsidePort = Annotated[int, Field(ge=1, le=65535, strict=True)]
"""Port of something outside the cluster's plan."""
Batch = Annotated[int, Field(ge=1, le=4096, strict=True)]
"""Pieces of text that are computed together."""


class VolumeConfig(Section):
    """A folder that outlives the pod."""

    folder: Folder
    """Where the image has it."""
    storage_gib: Gib = 5


class ServiceConfig(Section):
    """What every service has."""

    image: Image
    """The mirrored image, pinned."""
    port: Port = 8080
    """Where it listens."""
    live_path: UrlPath | None = None
    """What says over HTTP that the process lives; absent: its port takes connections."""
    ready_path: UrlPath | None = None
    """What says that it can serve; absent: as for ``live_path``."""
    metrics_path: UrlPath | None = None
    """Where its port tells Prometheus metrics; absent: it tells none."""
    cpu_millicores: Millicores = 1000
    """CPU limit of one pod; a tenth is reserved."""
    memory_mib: Mib = 1024
    """Memory of one pod, reserved whole."""
    environment: dict[Variable, str] = Field(default_factory=dict)
    """Variables beside those that the service gets here anyway (docs/aipp.md), or in place of them."""
    secret_environment: dict[Variable, SecretName] = Field(default_factory=dict)
    """Variable -> key of the secret in it, for an image that cannot read a secret from a file."""
    outside_ports: tuple[OutsidePort, ...] = ()
    """Ports of what it calls outside of the package; empty: it calls nothing there."""
    writable_folders: tuple[Folder, ...] = ()
    """Folders that the image writes to; each begins empty. Everything else but /tmp is read-only."""
    volumes: dict[DnsLabel, VolumeConfig] = Field(default_factory=dict)
    """Name -> folder that is kept, e.g. of uploads: a claim of its own, which one node may write to at a time."""

    @model_validator(mode="after")
    def _secrets_stand_apart(self) -> "ServiceConfig":
        for variable, value in self.environment.items():
            if sounds_secret(variable):
                raise ValueError(f"environment.{variable} sounds like a secret: give its key in secretEnvironment")
            if holds_secret(value):
                raise ValueError(
                    f"environment.{variable} has a secret in its value, which would stand in a ConfigMap: leave it out "
                    "of the value, or keep the whole value as a secret and give its key in secretEnvironment"
                )
            if variable in self.secret_environment:
                raise ValueError(f"{variable} stands in environment and in secretEnvironment: keep one of the two")
        return self


class SpringConfig(ServiceConfig):
    """A Spring Boot service: its health is asked at the actuator."""

    live_path: UrlPath | None = "/actuator/health/liveness"
    ready_path: UrlPath | None = "/actuator/health/readiness"
    metrics_path: UrlPath | None = "/actuator/prometheus"
    """It answers if the image holds `micrometer-registry-prometheus`; null where it does not."""
    memory_mib: Mib = 2048
    """Memory of one pod, reserved whole; three quarters of it are Java's heap."""


class FrontConfig(ServiceConfig):
    """The page: React, served by PM2."""

    port: Port = 3000
    replicas: Annotated[int, Field(ge=1, le=20, strict=True)] = 2
    """Pods, spread over the nodes."""
    memory_mib: Mib = 512

    @model_validator(mode="after")
    def _pods_on_several_nodes_share_no_volume(self) -> "FrontConfig":
        if self.volumes and self.replicas > 1:
            raise ValueError("volumes can be written from one node, and replicas are spread: set replicas to 1")
        return self


class BackendConfig(SpringConfig):
    """The services' API; it makes the database's tables (Liquibase)."""

    startup_minutes: Annotated[int, Field(ge=1, le=240, strict=True)] = 30
    """How long migrations may take before the pod counts as failed."""


class DataProcessorConfig(SpringConfig):
    """Collects catalogues."""


class SchedulerConfig(SpringConfig):
    """Starts work at given times; two of it would start everything twice, so their number is no field."""

    exclusive_volume: bool = True
    """Hold a claim that one pod may mount in the whole cluster (ReadWriteOncePod): then not even a node that was given
    up but still runs leaves two of it. Longhorn knows the mode since 1.11; false where the storage does not."""

    @model_validator(mode="after")
    def _exclusive_is_taken(self) -> "SchedulerConfig":
        if "exclusive" in self.volumes:
            raise ValueError("volumes.exclusive is the name of the claim of exclusiveVolume: call it something else")
        return self


class LinkerConfig(ServiceConfig):
    """Links texts by a model on a GPU."""

    port: Port = 8000
    gpu_count: Annotated[int, Field(ge=0, le=8, strict=True)] = 1
    """GPUs of the pod (`nvidia.com/gpu`); 0: there is none, and the linker is left out."""
    gpu_memory_gib: Annotated[int, Field(ge=1, le=1024, strict=True)] | None = None
    """What it takes of a card; must be stated where others use the card, too. Nothing holds the image to it."""
    runtime_class: DnsLabel | None = None
    """RuntimeClass that gives a container the GPU; absent: ``gpu.runtimeClass`` where this stack sets cards up."""
    card: Literal["ampere", "turing"] = "ampere"
    """Generation of the card: ``turing`` is a T4 and its like, which have neither bfloat16 nor FlashAttention 2; the
    three fields below then fall back to what such a card can do."""
    precision: Literal["bfloat16", "float16", "float32"] | None = None
    """Absent: bfloat16, on ``turing`` float16."""
    attention: Literal["flash_attention_2", "sdpa", "eager"] | None = None
    """Absent: flash_attention_2, on ``turing`` sdpa."""
    batch_size: Batch | None = None
    """Absent: 32, on ``turing`` 8 (16 GB)."""
    cpu_millicores: Millicores = 4000
    memory_mib: Mib = 16384
    """Memory, reserved whole, /dev/shm included."""
    shared_memory_mib: Mib = 2048
    """Size of /dev/shm; it is memory and counts against ``memory_mib``."""
    startup_minutes: Annotated[int, Field(ge=1, le=240, strict=True)] = 20
    """How long it may take to load its model."""

    @property
    def tuning(self) -> dict[str, str]:
        """The settings that depend on the card, after the fallbacks."""
        old = self.card == "turing"
        return {
            "precision": self.precision or ("float16" if old else "bfloat16"),
            "attention": self.attention or ("sdpa" if old else "flash_attention_2"),
            "batch_size": str(self.batch_size or (8 if old else 32)),
        }

    @model_validator(mode="after")
    def _the_card_can_do_it(self) -> "LinkerConfig":
        if self.card == "turing" and self.precision == "bfloat16":
            raise ValueError("precision is bfloat16, which a turing card has not: use float16, or leave it out")
        if self.card == "turing" and self.attention == "flash_attention_2":
            raise ValueError("attention is flash_attention_2, which a turing card has not: use sdpa, or leave it out")
        return self

    @model_validator(mode="after")
    def _shared_memory_fits(self) -> "LinkerConfig":
        if self.shared_memory_mib * 2 > self.memory_mib:
            raise ValueError("sharedMemoryMib is memory of the pod: it may be half of memoryMib at most")
        return self

    @model_validator(mode="after")
    def _runtime_class_needs_a_gpu(self) -> "LinkerConfig":
        if self.runtime_class and not self.gpu_count:
            raise ValueError("runtimeClass is for GPUs, but gpuCount is 0: set gpuCount or leave runtimeClass out")
        return self
