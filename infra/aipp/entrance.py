"""How people reach a service by a host name."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, ResourceOptions
from pulumi_kubernetes.networking.v1 import HTTPIngressPathArgsDict, IngressTLSArgsDict

from infra.cluster import labels

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
        nginx = "nginx.ingress.kubernetes.io"
        annotations: dict[str, Input[str]] = {
            f"{nginx}/proxy-read-timeout": str(READ_TIMEOUT_SECONDS),
            f"{nginx}/proxy-body-size": BODY_LIMIT,
            # Behind a NodePort no controller publishes an address, and Pulumi would wait for one.
            "pulumi.com/skipAwait": "true",
        }
        if args.cluster_issuer:
            annotations["cert-manager.io/cluster-issuer"] = args.cluster_issuer
        tls: list[IngressTLSArgsDict] = [{"hosts": [args.host], "secret_name": args.certificate}]
        k8s.networking.v1.Ingress(
            f"{name}-ingress",
            metadata={
                "name": name,
                "namespace": args.namespace,
                "labels": labels("aipp", name),
                "annotations": annotations,
            },
            spec={
                "ingress_class_name": args.ingress_class,
                "rules": [
                    {"host": args.host, "http": {"paths": [_path(path, *to) for path, to in args.routes.items()]}}
                ],
                **({"tls": tls} if args.cluster_issuer else {}),
            },
            opts=ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _path(path: str, service: Input[str], port: int) -> HTTPIngressPathArgsDict:
    return {"path": path, "path_type": "Prefix", "backend": {"service": {"name": service, "port": {"number": port}}}}
