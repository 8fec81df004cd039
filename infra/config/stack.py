"""The whole of a stack."""

from pydantic import model_validator

from infra.config.chat import ChatConfig
from infra.config.cluster import ClusterConfig
from infra.config.data import DataConfig
from infra.config.delivery import DeliveryConfig
from infra.config.network import NetworkConfig
from infra.config.registry import RegistryConfig
from infra.config.secrets import SecretsConfig
from infra.config.storage import StorageConfig
from infra.config.types import Section


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
