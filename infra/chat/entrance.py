"""How people reach the api by a host name."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, ResourceOptions
from pulumi_kubernetes.networking.v1 import IngressTLSArgsDict

from infra.chat.names import PORT
from infra.cluster import labels

ANSWER_TIMEOUT_SECONDS = 3600
DOCUMENT_LIMIT = "21m"
"""The api takes documents of 20 MiB; the rest is the form around them."""


@dataclass(frozen=True, kw_only=True)
class EntranceArgs:
    """What an :class:`Entrance` needs from its caller."""

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


class Entrance(ComponentResource):
    """An Ingress that passes a streamed answer on at once, and lets it take its time."""

    def __init__(self, name: str, args: EntranceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:chat:Entrance", name, {}, opts)
        nginx = "nginx.ingress.kubernetes.io"
        annotations: dict[str, Input[str]] = {
            f"{nginx}/proxy-buffering": "off",
            f"{nginx}/proxy-read-timeout": str(ANSWER_TIMEOUT_SECONDS),
            f"{nginx}/proxy-body-size": DOCUMENT_LIMIT,
            # Behind a NodePort no controller publishes an address, and Pulumi would wait for one.
            "pulumi.com/skipAwait": "true",
        }
        if args.cluster_issuer:
            annotations["cert-manager.io/cluster-issuer"] = args.cluster_issuer
        certificate: list[IngressTLSArgsDict] = [{"hosts": [args.host], "secret_name": f"{name}-tls"}]
        k8s.networking.v1.Ingress(
            f"{name}-ingress",
            metadata={
                "name": name,
                "namespace": args.namespace,
                "labels": labels("chat", name),
                "annotations": annotations,
            },
            spec={
                "ingress_class_name": args.ingress_class,
                "rules": [
                    {
                        "host": args.host,
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "path_type": "Prefix",
                                    "backend": {"service": {"name": args.service, "port": {"number": PORT}}},
                                }
                            ]
                        },
                    }
                ],
                **({"tls": certificate} if args.cluster_issuer else {}),
            },
            opts=ResourceOptions(parent=self),
        )
        self.register_outputs({})
