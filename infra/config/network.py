"""How traffic enters the cluster."""

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from infra.config.certificates import CertificatesConfig
from infra.config.login import LoginConfig
from infra.config.pem import Authorities
from infra.config.types import DnsLabel, Mib, Section

PRIVATE_SUFFIXES = (".local", ".localhost", ".internal", ".test", ".lan", ".home.arpa")
"""Ends of host names that no public DNS zone has; ``.local`` is mDNS' (RFC 6762)."""


def _ipv4(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise ValueError("must be an IPv4 address, e.g. 10.96.0.80") from None


NodePort = Annotated[int, Field(ge=30000, le=32767, strict=True)]
"""Port of every node."""
Ipv4 = Annotated[str, AfterValidator(_ipv4)]
"""IPv4 address."""


class ControllerConfig(Section):
    """An ingress controller of our own, on fixed ports of every node."""

    kind: Literal["traefik", "ingress-nginx"] = "traefik"
    """``ingress-nginx`` is retired: no fixes since March 2026. Traefik serves the same class and annotations."""
    namespace: DnsLabel = "ingress"
    http_port: NodePort = 31302
    """Port of every node for HTTP; with certificates it only sends people to the other one."""
    https_port: NodePort = 31084
    """Port of every node for HTTPS."""
    cluster_ip: Ipv4 | None = None
    """Fixed address of its Service, from the cluster's service range; absent: any. Pods reach the login page there."""
    memory_mib: Mib = 256

    @model_validator(mode="after")
    def _ports_differ(self) -> "ControllerConfig":
        if self.http_port == self.https_port:
            raise ValueError("httpPort and httpsPort are the same port: give each its own")
        return self


class NetworkConfig(Section):
    """How traffic enters the cluster."""

    ingress_class: DnsLabel = "nginx"
    """IngressClass of every Ingress."""
    ingress_namespace: DnsLabel = "ingress-nginx"
    """Namespace of a controller that is not ours: only its pods may call what is exposed by host name."""
    ingress_port: Annotated[int, Field(ge=1, le=65535, strict=True)] | None = None
    """Port under which people reach a controller that is not ours; absent: the standard one, 80 or 443."""
    cluster_issuer: DnsLabel | None = None
    """ClusterIssuer of a cert-manager that is not ours; absent: see ``certificates``."""
    controller: ControllerConfig | None = None
    """An ingress controller of our own; absent: the cluster has one."""
    certificates: CertificatesConfig | None = None
    """cert-manager of our own; absent, and no ``clusterIssuer``: plain HTTP."""
    login: LoginConfig | None = None
    """How people log in; absent: each part keeps its own accounts."""
    authorities: Authorities | None = None
    """Authorities of a company's, or one's own, that whoever calls out from here trusts beside the public ones: their
    certificates, as PEM text. Absent: the public ones, and the root of ``certificates.issuer: ownCa``."""

    @model_validator(mode="after")
    def _ours_or_theirs(self) -> "NetworkConfig":
        if self.controller and {"ingress_port", "ingress_namespace"} & self.model_fields_set:
            raise ValueError(
                "controller is ours, ingressPort and ingressNamespace are of one that is not: remove them, "
                "or remove controller"
            )
        if self.certificates and self.cluster_issuer:
            raise ValueError("certificates brings an issuer, clusterIssuer names another: remove one of the two")
        return self

    @model_validator(mode="after")
    def _dex_can_be_reached(self) -> "NetworkConfig":
        dex = self.login.dex if self.login else None
        if not dex:
            return self
        if not self.controller:
            raise ValueError("login.dex.host is served by controller, which is absent: set it, or use login.issuer")
        if not self.certificates and not self.cluster_issuer:
            raise ValueError("login.dex would take passwords over plain HTTP: set certificates")
        if is_private(dex.host) and not self.controller.cluster_ip:
            raise ValueError(
                "login.dex.host is a name that no DNS of a cluster knows: set controller.clusterIp, "
                "so that pods find it"
            )
        return self


def is_private(host: str) -> bool:
    """Say whether ``host`` cannot be in the public DNS, so that no public authority certifies it."""
    return host.endswith(PRIVATE_SUFFIXES)
