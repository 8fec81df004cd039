"""What others must know of the network's parts before they are declared."""

from infra.config.network import ControllerConfig

HTTP_PORT = 8000
HTTPS_PORT = 8443
"""Where Traefik's pods listen; policies see these."""
CONTROLLER_METRICS_PORT = {"traefik": 9100, "ingress-nginx": 10254}
"""Kind of controller -> port of its pods for Prometheus."""

CERT_MANAGER = "cert-manager"
"""Component: cert-manager's controller, webhook and CA injector."""
CERT_MANAGER_METRICS_PORT = 9402
WEBHOOK_PORT = 10250
"""Where cert-manager's webhook listens, for the API server."""
CA_SECRET = "aihub-ca"  # noqa: S105 - the name of a Secret
"""Secret, in cert-manager's namespace, of our own root: ``tls.crt`` is what machines are told to trust."""

DEX = "dex"
"""Component: the issuer of our own."""
DEX_PORT = 5556
DEX_METRICS_PORT = 5558


def https_port(controller: ControllerConfig) -> int:
    """Return the port of the controller's pods for HTTPS."""
    return HTTPS_PORT if controller.kind == "traefik" else controller.https_port


def http_port(controller: ControllerConfig) -> int:
    """Return the port of the controller's pods for HTTP."""
    return HTTP_PORT if controller.kind == "traefik" else controller.http_port
