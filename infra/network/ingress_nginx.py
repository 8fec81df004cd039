"""ingress-nginx, retired in March 2026: for clusters that must keep it a while."""

from typing import Any

from infra.network.controller_args import CONTROLLER_CLASS, UPLOAD_TIMEOUT_SECONDS, ControllerArgs
from infra.workload import resources

RETIRED = (
    "aihub:network.controller.kind is ingress-nginx, which gets no fixes since March 2026, security included; "
    "traefik serves the same IngressClass and annotations: remove the field"
)


def values(args: ControllerArgs) -> dict[str, Any]:
    """Return the values of chart `ingress-nginx`."""
    ports = {"http": args.http_port, "https": args.https_port}
    return {
        "controller": {
            # It names its own port in a redirect, so it listens on the node's: see 0502.
            "containerPort": ports,
            "extraArgs": {
                "http-port": str(args.http_port),
                "https-port": str(args.https_port),
                "publish-status-address": args.status_address,
            },
            "config": {
                "ssl-redirect": str(args.redirects_to_https).lower(),
                "use-port-in-redirects": "true",
                "http-redirect-code": "307",
                # Browsers would ask for TLS on the HTTP port, too, and never see the redirect.
                "hsts": "false",
                "client-body-timeout": str(UPLOAD_TIMEOUT_SECONDS),
                "client-header-timeout": "60",
            },
            "ingressClass": args.ingress_class,
            "ingressClassResource": {
                "enabled": False,  # the class is ours
                "name": args.ingress_class,
                "controllerValue": CONTROLLER_CLASS,
            },
            "publishService": {"enabled": False},
            "service": {
                "type": "NodePort",
                **({"clusterIP": args.cluster_ip} if args.cluster_ip else {}),
                "ports": ports,
                "nodePorts": ports,
            },
            # Its webhook can be called by every pod and was the way in of CVE-2025-1974.
            "admissionWebhooks": {"enabled": False},
            "metrics": {"enabled": True},
            "resources": resources(cpu_millicores=1000, memory_mib=args.memory_mib),
        }
    }
