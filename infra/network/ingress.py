"""A way in by a host name."""

from collections.abc import Mapping

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, ResourceOptions
from pulumi_kubernetes.networking.v1 import HTTPIngressPathArgsDict, IngressTLSArgsDict


def ingress(
    name: str,
    namespace: Input[str],
    labels: Mapping[str, Input[str]],
    *,
    host: str,
    routes: Mapping[str, tuple[Input[str], int]],
    ingress_class: str,
    certificate: str,
    cluster_issuer: str | None,
    nginx: Mapping[str, str],
    parent: ComponentResource,
) -> None:
    """Declare a component's Ingress.

    Args:
        name: what the object is called.
        namespace: where the Services are.
        labels: of the object.
        host: host name; external-dns, where the cluster has it, makes it known from the Ingress.
        routes: path -> Service and its port: the path itself and all below it; the longest that fits decides.
        ingress_class: IngressClass.
        certificate: Secret that cert-manager puts the certificate into.
        cluster_issuer: cert-manager's issuer of the certificate; None: plain HTTP.
        nginx: annotations below ``nginx.ingress.kubernetes.io/``.
        parent: the component.
    """
    annotations: dict[str, Input[str]] = {f"nginx.ingress.kubernetes.io/{key}": text for key, text in nginx.items()}
    # Behind a NodePort no controller publishes an address, and a certificate takes its time: Pulumi would wait.
    annotations["pulumi.com/skipAwait"] = "true"
    if cluster_issuer:
        annotations["cert-manager.io/cluster-issuer"] = cluster_issuer
    tls: list[IngressTLSArgsDict] = [{"hosts": [host], "secret_name": certificate}]
    paths = [_path(path, service, port) for path, (service, port) in routes.items()]
    k8s.networking.v1.Ingress(
        f"{name}-ingress",
        metadata={"name": name, "namespace": namespace, "labels": labels, "annotations": annotations},
        spec={
            "ingress_class_name": ingress_class,
            "rules": [{"host": host, "http": {"paths": paths}}],
            **({"tls": tls} if cluster_issuer else {}),
        },
        opts=ResourceOptions(parent=parent),
    )


def _path(path: str, service: Input[str], port: int) -> HTTPIngressPathArgsDict:
    return {"path": path, "path_type": "Prefix", "backend": {"service": {"name": service, "port": {"number": port}}}}
