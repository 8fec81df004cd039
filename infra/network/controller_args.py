"""What an ingress controller is told, whichever it is."""

from dataclasses import dataclass

from pulumi import Input

CONTROLLER_CLASS = "k8s.io/ingress-nginx"
"""Controller that our IngressClass names; both kinds answer to it."""
UPLOAD_TIMEOUT_SECONDS = 600
"""How long a request may take to come in: a layer of an image is gigabytes. Traefik's own 60 seconds cut pushes off."""


@dataclass(frozen=True, kw_only=True)
class ControllerArgs:
    """What a :class:`~infra.network.controller.Controller` needs from its caller."""

    namespace: Input[str]
    """Namespace of its pods."""
    kind: str
    """``traefik`` or ``ingress-nginx``."""
    ingress_class: str
    """IngressClass that it serves."""
    http_port: int
    """Port of every node, and of the Service, for HTTP."""
    https_port: int
    """Port of every node, and of the Service, for HTTPS."""
    status_address: str
    """Address that it writes into every Ingress it serves."""
    redirects_to_https: bool
    """Whether HTTP only sends people to HTTPS."""
    memory_mib: int
    """Memory, reserved whole."""
    cluster_ip: str | None = None
    """Address of the Service; absent: any."""
