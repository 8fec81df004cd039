"""How people reach a service by a host name."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, Input, ResourceOptions

from infra.cluster import labels
from infra.network.ingress import ingress

READ_TIMEOUT_SECONDS = 300
BODY_LIMIT = "100m"
"""Catalogues are uploaded as files."""


@dataclass(frozen=True, kw_only=True)
class EntranceArgs:
    """What an :class:`Entrance` needs from its caller."""

    namespace: Input[str]
    """Namespace of the Services."""
    host: str
    """Host name; external-dns, where the cluster has it, makes it known from the Ingress."""
    routes: Mapping[str, tuple[Input[str], int]]
    """Path -> Service and its port: the path itself and all below it; the longest that fits decides."""
    ingress_class: str
    """IngressClass."""
    certificate: str
    """Secret that cert-manager puts the certificate into."""
    cluster_issuer: str | None = None
    """cert-manager's issuer of the certificate; absent: plain HTTP."""


class Entrance(ComponentResource):
    """An Ingress with a certificate."""

    def __init__(self, name: str, args: EntranceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:aipp:Entrance", name, {}, opts)
        ingress(
            name,
            args.namespace,
            labels("aipp", name),
            host=args.host,
            routes=args.routes,
            ingress_class=args.ingress_class,
            certificate=args.certificate,
            cluster_issuer=args.cluster_issuer,
            nginx={"proxy-read-timeout": str(READ_TIMEOUT_SECONDS), "proxy-body-size": BODY_LIMIT},
            parent=self,
        )
        self.register_outputs({})
