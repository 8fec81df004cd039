"""The whole of a stack."""

from typing import Annotated

from pydantic import BeforeValidator, model_validator

from infra.config import pem
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
    def _somebody_tells_argocd_of_pushes(self) -> "StackConfig":
        argocd, git = self.delivery.argocd, self.ci.git
        if not argocd or not argocd.webhook:
            return self
        if not git or not (self.delivery.repository or "").startswith(git.prefix):
            raise ValueError(
                "delivery.argocd.webhook is called by the Git server of ci.git, where delivery.repository is not: "
                "put it there, or leave webhook out"
            )
        if git.gitlab and not argocd.host:
            raise ValueError("delivery.argocd.webhook is called by a GitLab outside the cluster: set argocd.host too")
        return self

    @model_validator(mode="after")
    def _aipp_finds_what_it_needs(self) -> "StackConfig":
        if not self.aipp:
            return self
        if self.aipp.delivery == "argocd" and not self.delivery.repository:
            raise ValueError("aipp.delivery is argocd, which needs delivery.repository: set it, or deliver by pulumi")
        if self.aipp.secrets_by == "agent" and not (self.secrets.vault and self.secrets.vault.access):
            raise ValueError(
                "aipp.secretsBy is agent, which logs in to Vault by roles of ours: set secrets.vault.access, or leave "
                "secretsBy out"
            )
        if not self.secrets.vault and (foreign := self.aipp.foreign_secrets()):
            raise ValueError(
                f"{', '.join(foreign)} names a secret that only Vault can hold: set secrets.vault, or name one of "
                f"{', '.join(STORE_SECRETS)}"
            )
        return self

    @model_validator(mode="after")
    def _services_run_what_is_copied(self) -> "StackConfig":
        copies = self.registry.vendor.images if self.aipp and self.registry.vendor else ()
        targets = {f"{self.registry.host}/{image.target}" for image in copies}
        repositories = {target.rpartition(":")[0]: target for target in targets}
        for field, service in self.aipp.services().items() if self.aipp else ():
            path, _, version = service.image.partition("@")[0].rpartition(":")
            if path in repositories and f"{path}:{version}" not in targets:
                raise ValueError(
                    f"aipp.{field}.image is of version {version}, and registry.vendor.images copies "
                    f"{repositories[path]}: name one version in both"
                )
        return self

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
    def _addresses_of_services_differ(self) -> "StackConfig":
        controller, server = self.network.controller, self.registry.server
        if controller and server and controller.cluster_ip and controller.cluster_ip == server.cluster_ip:
            raise ValueError(
                "network.controller.clusterIp and registry.server.clusterIp are one address: give each its own"
            )
        return self

    @model_validator(mode="after")
    def _everybody_knows_the_registrys_certificate(self) -> "StackConfig":
        server = self.registry.server
        if not server or not server.tls:
            return self
        field = "registry.server.tls.certificate"
        chain = pem.certificates(server.tls.certificate)
        asked = {"registry.host": self.registry.hostname}
        if self.delivery.image_updater:
            asked["delivery.imageUpdater"] = server.service_name
        if missing := [f"{name} ({path})" for path, name in asked.items() if not pem.covers(chain[0], name)]:
            raise ValueError(f"{field} does not stand for {' and '.join(missing)}: make one with all of these names")
        known = pem.certificates(self.network.authorities) if self.network.authorities else []
        if not pem.comes_from(chain, known) and not pem.comes_from(chain, pem.public_authorities()):
            raise ValueError(
                f"{field} is signed by none of network.authorities, and by no public one: add its authority there, and "
                "to the certificate those between the two"
            )
        return self

    @model_validator(mode="after")
    def _vaults_authority_is_stated(self) -> "StackConfig":
        access = self.secrets.vault.access if self.secrets.vault else None
        if access and access.signed_by_authorities and not self.network.authorities:
            raise ValueError("secrets.vault.access.signedByAuthorities means network.authorities: set them, too")
        return self

    @model_validator(mode="after")
    def _host_names_differ(self) -> "StackConfig":
        hosts = list(served_hosts(self))
        twice = [path for path, host in hosts if [other for _, other in hosts].count(host) > 1]
        if twice:
            raise ValueError(f"{', '.join(twice)} are the same host name: give each its own")
        return self

    @model_validator(mode="after")
    def _grafana_knows_the_issuer(self) -> "StackConfig":
        own, login = self.observability.stack, self.network.login
        foreign = login.issuer if login else None
        if own and own.grafana_host and foreign and not own.issuer_endpoints:
            raise ValueError(
                "network.login.issuer is none of ours, and Grafana cannot look up where it answers: set authorize, "
                "token and userinfo of observability.stack.issuerEndpoints, as in "
                "ISSUER/.well-known/openid-configuration"
            )
        if own and own.issuer_endpoints and not foreign:
            raise ValueError(
                "observability.stack.issuerEndpoints are those of network.login.issuer, which is not set: "
                "leave them out"
            )
        return self

    @model_validator(mode="after")
    def _exporters_have_a_store(self) -> "StackConfig":
        if self.observability.postgres_exporter_image and not self.aipp:
            raise ValueError("observability.postgresExporterImage is for the database of aipp, which is not set")
        return self

    @model_validator(mode="after")
    def _cards_are_enough(self) -> "StackConfig":
        engine, linker = self.chat.engine, self.aipp.linker if self.aipp else None
        shares = {"chat.engine.gpuMemoryGib": engine.gpu_memory_gib} if engine.gpu_count else {}
        if linker and linker.gpu_count:
            shares["aipp.linker.gpuMemoryGib"] = linker.gpu_memory_gib
        memory = self.gpu.memory_trouble(shares) if self._cards_are_shared else None
        trouble = self.gpu.trouble(self.card_requests()) or memory
        if trouble:
            raise ValueError(trouble)
        return self

    def card_requests(self) -> dict[str, int]:
        """Return field -> how many `nvidia.com/gpu` its pod asks for, of everything that asks for one."""
        requests = {"chat.engine.gpuCount": self.chat.engine.gpu_count}
        if self.aipp:
            requests["aipp.linker.gpuCount"] = self.aipp.linker.gpu_count
        return {field: number for field, number in requests.items() if number}

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
