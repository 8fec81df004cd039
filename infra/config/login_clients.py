"""Everything that people log in to, once: its name at the issuer, its secret, where people come back to."""

from collections.abc import Callable
from dataclasses import dataclass

from infra.config.stack import StackConfig


@dataclass(frozen=True, kw_only=True)
class LoginClient:
    """One client of the OpenID Connect issuer."""

    name: str
    """Client id at an issuer of our own."""
    title: str
    """Name as people read it."""
    redirect_path: str
    """Where the issuer sends people back to, below the client's own address."""
    host: Callable[[StackConfig], str | None]
    """Host name under which a stack serves it; None: not, and then it is no client."""

    @property
    def secret_key(self) -> str:
        """Row of the table of secrets that holds the client's secret, e.g. ``loginGrafanaSecret``."""
        return f"login{self.name.capitalize()}Secret"


CLIENTS = (
    LoginClient(
        name="chat",
        title="Chat",
        redirect_path="/login/callback",
        host=lambda stack: stack.chat.exposure.host,
    ),
    LoginClient(
        name="grafana",
        title="Grafana",
        redirect_path="/login/generic_oauth",
        host=lambda stack: stack.observability.stack.grafana_host if stack.observability.stack else None,
    ),
    LoginClient(
        name="jenkins",
        title="Jenkins",
        redirect_path="/securityRealm/finishLogin",
        host=lambda stack: stack.ci.jenkins.host if stack.ci.jenkins else None,
    ),
    LoginClient(
        name="argocd",
        title="Argo CD",
        redirect_path="/auth/callback",
        host=lambda stack: stack.delivery.argocd.host if stack.delivery.argocd else None,
    ),
)


def clients_of(stack: StackConfig) -> tuple[LoginClient, ...]:
    """Return what a stack has people log in to; nothing where it has no login."""
    return tuple(client for client in CLIENTS if client.host(stack)) if stack.network.login else ()
