"""The whole of a stack."""

from typing import Annotated

from pydantic import BeforeValidator, model_validator

from infra.config.aipp import STORE_SECRETS, AippConfig
from infra.config.chat import ChatConfig
from infra.config.ci import CiConfig
from infra.config.cluster import ClusterConfig
from infra.config.data import DataConfig
from infra.config.delivery import DeliveryConfig
from infra.config.gpu import GpuConfig
from infra.config.hosts import served_hosts
from infra.config.network import NetworkConfig, is_private
from infra.config.observability import ObservabilityConfig
from infra.config.registry import RegistryConfig
from infra.config.secrets import SecretsConfig
from infra.config.storage import StorageConfig
from infra.config.tools import ToolsConfig
from infra.config.types import Section


class StackConfig(Section):
    """The whole configuration of a stack but its secrets."""

    cluster: ClusterConfig = ClusterConfig()
    network: NetworkConfig = NetworkConfig()
    storage: StorageConfig
    gpu: GpuConfig = GpuConfig()
    registry: RegistryConfig
    secrets: SecretsConfig = SecretsConfig()
    ci: CiConfig = CiConfig()
    data: DataConfig = DataConfig()
    chat: ChatConfig
    delivery: DeliveryConfig = DeliveryConfig()
    observability: ObservabilityConfig = ObservabilityConfig()
    tools: ToolsConfig = ToolsConfig()
    aipp: Annotated[AippConfig | None, BeforeValidator(lambda value: value or None)] = None
    """Absent or empty (which Pulumi.yaml makes of absent): the stack has none of the vendor's services."""

    @model_validator(mode="after")
    def _argocd_needs_a_repository(self) -> "StackConfig":
        if self.chat.delivery == "argocd" and not self.delivery.repository:
            raise ValueError("chat.delivery is argocd, which needs delivery.repository: set it, or deliver by pulumi")
        return self

    @model_validator(mode="after")
    def _aipp_finds_what_it_needs(self) -> "StackConfig":
        if not self.aipp:
            return self
        if self.aipp.delivery == "argocd" and not self.delivery.repository:
            raise ValueError("aipp.delivery is argocd, which needs delivery.repository: set it, or deliver by pulumi")
        if self.aipp.namespace in self.namespaces_beside_aipp():
            raise ValueError("aipp.namespace is the namespace of something else: give it its own")
        if not self.secrets.vault and (foreign := self.aipp.foreign_secrets()):
            raise ValueError(
                f"{', '.join(foreign)} names a secret that only Vault can hold: set secrets.vault, or name one of "
                f"{', '.join(STORE_SECRETS)}"
            )
        return self

    def namespaces_beside_aipp(self) -> set[str]:
        """Return the namespaces of the rooms that run something of ours."""
        registry = [self.registry.server.namespace] if self.registry.server else []
        rooms = [self.data.namespace, self.chat.namespace, self.delivery.namespace]
        return {*rooms, *registry, *self.ci.namespaces().values()}

    @model_validator(mode="after")
    def _public_authorities_know_public_names(self) -> "StackConfig":
        certificates = self.network.certificates
        private = [path for path, host in served_hosts(self) if is_private(host)]
        if certificates and certificates.issuer == "acme" and private:
            raise ValueError(
                f"network.certificates.issuer is acme, but no public authority certifies a private name: "
                f"set issuer: ownCa, or a name of a real domain in {', '.join(private)}"
            )
        return self

    @model_validator(mode="after")
    def _node_ports_differ(self) -> "StackConfig":
        controller, port = self.network.controller, self.chat.exposure.node_port
        if controller and port in (controller.http_port, controller.https_port):
            raise ValueError(
                "chat.exposure.nodePort is a port of network.controller: change one of the two, or use exposure.host"
            )
        return self

    @model_validator(mode="after")
    def _host_names_differ(self) -> "StackConfig":
        hosts = list(served_hosts(self))
        twice = [path for path, host in hosts if [other for _, other in hosts].count(host) > 1]
        if twice:
            raise ValueError(f"{', '.join(twice)} are the same host name: give each its own")
        return self

    @model_validator(mode="after")
    def _cards_are_enough(self) -> "StackConfig":
        engine = self.chat.engine
        requests = {"chat.engine.gpuCount": engine.gpu_count}
        shares = {"chat.engine.gpuMemoryGib": engine.gpu_memory_gib} if engine.gpu_count else {}
        if self.aipp and self.aipp.linker.gpu_count:
            requests["aipp.linker.gpuCount"] = self.aipp.linker.gpu_count
            shares["aipp.linker.gpuMemoryGib"] = self.aipp.linker.gpu_memory_gib
        trouble = self.gpu.trouble(requests) or (self.gpu.memory_trouble(shares) if self._cards_are_shared else None)
        if trouble:
            raise ValueError(trouble)
        return self

    @property
    def _cards_are_shared(self) -> bool:
        """Whether the parts of those who use a card must fit into one: with a card each they need not."""
        return not self.aipp or not self.aipp.linker.gpu_count or self.gpu.sharing is not None

    @model_validator(mode="after")
    def _rollback_has_a_rollout(self) -> "StackConfig":
        if self.delivery.rollback and (self.chat.api.rollout == "rolling" or self.chat.delivery == "pulumi"):
            raise ValueError(
                "delivery.rollback undoes in Git what a rollout refused: set chat.delivery to argocd and "
                "chat.api.rollout to canary or blueGreen, or leave it out"
            )
        return self

    @model_validator(mode="after")
    def _namespaces_of_ci_are_its_own(self) -> "StackConfig":
        used = [self.data.namespace, self.chat.namespace, self.delivery.namespace]
        used += [self.registry.server.namespace] if self.registry.server else []
        ours = self.ci.namespaces()
        for path, namespace in ours.items():
            if namespace in used or list(ours.values()).count(namespace) > 1:
                raise ValueError(f"{path} is the namespace of something else: each has its own Secrets and rules")
        return self

    @model_validator(mode="after")
    def _namespaces_differ(self) -> "StackConfig":
        registry = {self.registry.server.namespace} if self.registry.server else set()
        if self.data.namespace == self.chat.namespace or registry & {self.data.namespace, self.chat.namespace}:
            raise ValueError("data.namespace, chat.namespace and registry.server.namespace must differ")
        return self
