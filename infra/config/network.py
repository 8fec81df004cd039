"""How traffic enters the cluster."""

from typing import Annotated

from pydantic import Field

from infra.config.types import DnsLabel, Section


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
