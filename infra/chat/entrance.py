"""How people reach the chat by a host name."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, Input, ResourceOptions

from infra.chat.names import CERTIFICATE
from infra.cluster import labels
from infra.network.ingress import ingress

ANSWER_TIMEOUT_SECONDS = 3600
DOCUMENT_LIMIT = "21m"
"""The api takes documents of 20 MiB; the rest is the form around them."""


@dataclass(frozen=True, kw_only=True)
class EntranceArgs:
    """What an :class:`Entrance` needs from its caller."""

    namespace: Input[str]
    """Namespace of the Services."""
    routes: Mapping[str, tuple[str, int]]
    """Path -> Service and its port: the path itself and all below it; the longest that fits decides."""
    host: str
    """Host name."""
    ingress_class: str
    """IngressClass."""
    cluster_issuer: str | None = None
    """cert-manager's issuer of the certificate; absent: plain HTTP."""


class Entrance(ComponentResource):
    """An Ingress that passes a streamed answer on at once, and lets it take its time.

    It waits for no pod: with it comes the certificate, which the api may need at its start.
    """

    def __init__(self, name: str, args: EntranceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:chat:Entrance", name, {}, opts)
        ingress(
            name,
            args.namespace,
            labels("chat", name),
            host=args.host,
            routes=args.routes,
            ingress_class=args.ingress_class,
            certificate=CERTIFICATE,
            cluster_issuer=args.cluster_issuer,
            # Each of them is one that Traefik's ingress-nginx provider knows, too (3.7).
            nginx={
                "proxy-buffering": "off",
                "proxy-read-timeout": str(ANSWER_TIMEOUT_SECONDS),
                "proxy-body-size": DOCUMENT_LIMIT,
            },
            parent=self,
        )
        self.register_outputs({})
