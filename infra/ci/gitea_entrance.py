"""How people reach the Git server by a host name."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, ResourceOptions
from pulumi_kubernetes.networking.v1 import IngressTLSArgsDict

from infra.ci.git import GITEA_PORT
from infra.cluster import labels


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
        nginx = "nginx.ingress.kubernetes.io"
        annotations: dict[str, Input[str]] = {
            f"{nginx}/proxy-body-size": "0",
            f"{nginx}/proxy-read-timeout": "600",
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
                "labels": labels("ci", name),
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
                                    "backend": {"service": {"name": args.service, "port": {"number": GITEA_PORT}}},
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
