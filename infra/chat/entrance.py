"""How people reach the chat by a host name."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, ResourceOptions
from pulumi_kubernetes.networking.v1 import HTTPIngressPathArgsDict, IngressTLSArgsDict

from infra.chat.names import CERTIFICATE
from infra.cluster import labels

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
        nginx = "nginx.ingress.kubernetes.io"
        # Each of them is one that Traefik's ingress-nginx provider knows, too (3.7).
        annotations: dict[str, Input[str]] = {
            f"{nginx}/proxy-buffering": "off",
            f"{nginx}/proxy-read-timeout": str(ANSWER_TIMEOUT_SECONDS),
            f"{nginx}/proxy-body-size": DOCUMENT_LIMIT,
            # Behind a NodePort no controller publishes an address, and Pulumi would wait for one.
            "pulumi.com/skipAwait": "true",
        }
        if args.cluster_issuer:
            annotations["cert-manager.io/cluster-issuer"] = args.cluster_issuer
        certificate: list[IngressTLSArgsDict] = [{"hosts": [args.host], "secret_name": CERTIFICATE}]
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
                    {"host": args.host, "http": {"paths": [_path(path, *to) for path, to in args.routes.items()]}}
                ],
                **({"tls": certificate} if args.cluster_issuer else {}),
            },
            opts=ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _path(path: str, service: str, port: int) -> HTTPIngressPathArgsDict:
    return {
        "path": path,
        "path_type": "Prefix",
        "backend": {"service": {"name": service, "port": {"number": port}}},
    }
