"""Traefik as an ingress controller that understands Ingresses written for ingress-nginx."""

from typing import Any

from infra.network.controller_args import CONTROLLER_CLASS, UPLOAD_TIMEOUT_SECONDS, ControllerArgs
from infra.network.names import HTTP_PORT, HTTPS_PORT
from infra.workload import resources


def values(args: ControllerArgs) -> dict[str, Any]:
    """Return the values of chart `traefik`; its pods meet Pod Security `restricted` as they come."""
    service: dict[str, Any] = {"type": "NodePort"} | ({"clusterIP": args.cluster_ip} if args.cluster_ip else {})
    # The chart works the port of a redirect out of websecure's exposedPort, which is the node's port: see 0502.
    redirect = {"redirections": {"entryPoint": {"to": "websecure", "scheme": "https", "permanent": False}}}
    return {
        "deployment": {"replicas": 1},
        # The class is ours: the chart's own names another controller, and the provider would pass over it.
        "ingressClass": {"enabled": False},
        "providers": {
            "kubernetesCRD": {"enabled": False},
            # Beside the other provider, it would make every route twice.
            "kubernetesIngress": {"enabled": False},
            "kubernetesIngressNGINX": {
                "enabled": True,
                "controllerClass": CONTROLLER_CLASS,
                "ingressClass": args.ingress_class,
                "publishStatusAddress": args.status_address,
            },
        },
        "ports": {
            "web": {
                **_port(HTTP_PORT, args.http_port),
                **({"http": redirect} if args.redirects_to_https else {}),
            },
            "websecure": _port(HTTPS_PORT, args.https_port),
        },
        "service": {"spec": service},
        "api": {"dashboard": False},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"format": "json"},
        # Without query parameters: a login comes back with its code in one.
        "accessLog": {
            "enabled": True,
            "format": "json",
            "fields": {"queryParameters": {"defaultMode": "drop"}},
        },
        "metrics": {"prometheus": {"addRoutersLabels": True, "service": {"enabled": True}}},
        "resources": resources(cpu_millicores=1000, memory_mib=args.memory_mib),
    }


def _port(container_port: int, node_port: int) -> dict[str, Any]:
    """Return an entry point whose Service has the node's port too: the same URL then works inside the cluster."""
    return {
        "port": container_port,
        "exposedPort": node_port,
        "nodePort": node_port,
        "transport": {"respondingTimeouts": {"readTimeout": f"{UPLOAD_TIMEOUT_SECONDS}s"}},
    }
