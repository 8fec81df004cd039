"""Under which addresses people reach what has a host name: for every room that has an Ingress. Declares nothing."""

from urllib.parse import urlsplit

from infra.config.stack import StackConfig

OWN_CA = "own-ca"
"""ClusterIssuer that signs with our own root."""
ACME = "acme"
"""ClusterIssuer that asks a public authority."""


def cluster_issuer(stack: StackConfig) -> str | None:
    """Return the ClusterIssuer for an Ingress' annotation ``cert-manager.io/cluster-issuer``; None: plain HTTP."""
    certificates = stack.network.certificates
    if certificates:
        return OWN_CA if certificates.issuer == "ownCa" else ACME
    return stack.network.cluster_issuer


def public_port(stack: StackConfig) -> int | None:
    """Return the port that stands in public addresses; None: the standard one."""
    network = stack.network
    if network.controller:
        return network.controller.https_port if cluster_issuer(stack) else network.controller.http_port
    return network.ingress_port


def public_url(stack: StackConfig, host: str) -> str:
    """Return the address of ``host``, without a slash at its end, as browsers and programs must use it."""
    port = public_port(stack)
    return f"{'https' if cluster_issuer(stack) else 'http'}://{host}{f':{port}' if port else ''}"


def port_of(url: str) -> int:
    """Return the port that an address leads to: the one in it, or its scheme's."""
    parts = urlsplit(url)
    return parts.port or (80 if parts.scheme == "http" else 443)
