"""How people reach the Git server by a host name."""

from dataclasses import dataclass

from pulumi import ComponentResource, Input, ResourceOptions

from infra.ci.git import GITEA_PORT
from infra.cluster import labels
from infra.network.ingress import ingress


@dataclass(frozen=True, kw_only=True)
class GitEntranceArgs:
    """What a :class:`GitEntrance` needs from its caller."""

    namespace: Input[str]
    """Namespace of the Service."""
    service: Input[str]
    """Service that gets the traffic."""
    host: str
    """Host name."""
    ingress_class: str
    """IngressClass."""
    cluster_issuer: str | None = None
    """cert-manager's issuer of the certificate; absent: plain HTTP."""


class GitEntrance(ComponentResource):
    """An Ingress that takes pushes of any size, and gives a large clone its time."""

    def __init__(self, name: str, args: GitEntranceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:ci:GitEntrance", name, {}, opts)
        ingress(
            name,
            args.namespace,
            labels("ci", name),
            host=args.host,
            routes={"/": (args.service, GITEA_PORT)},
            ingress_class=args.ingress_class,
            certificate=f"{name}-tls",
            cluster_issuer=args.cluster_issuer,
            nginx={"proxy-body-size": "0", "proxy-read-timeout": "600"},
            parent=self,
        )
        self.register_outputs({})
