"""Who people are: the one OpenID Connect issuer of a stack, for every room that lets people log in. Declares nothing.

A room asks `login_of(stack)`; if that is not None, it uses what it finds there and states `login.flow(component)` in
its plan, so that its pods may call the issuer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from infra.config.login_clients import LoginClient, clients_of
from infra.config.stack import StackConfig
from infra.network.address import OWN_CA, cluster_issuer, public_url
from infra.network.names import https_port
from infra.plan import INGRESS, Flow, World

GROUPS_CLAIM = "groups"
"""Claim that lists a person's groups."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """One issuer, its clients, and which group may do what."""

    issuer: str
    """Its address, the same for browsers and for pods; ``/.well-known/openid-configuration`` lies below it."""
    clients: Mapping[str, LoginClient]
    """``chat``, ``grafana``, ``jenkins``, ``argocd``: those that the stack serves under a host name."""
    client_ids: Mapping[str, str]
    """Client -> what the issuer calls it."""
    redirects: Mapping[str, str]
    """Client -> full address to which the issuer sends people back."""
    scopes: tuple[str, ...]
    """What the clients ask for; the chat asks for those of its own that the issuer offers."""
    admin_group: str
    """Group whose members administer."""
    user_group: str
    """Group whose members may use the chat and look at the rest."""
    target: str
    """End of the flow to the issuer, for plans."""
    port: int
    """Port of that end."""
    host_aliases: Mapping[str, tuple[str, ...]]
    """Address -> host names that a pod must know by a hostAlias, since no DNS in the cluster does; often empty."""
    own_ca: bool
    """Whether the issuer's certificate is of our own CA, which is ``ca.crt`` in the TLS Secret of every Ingress. That
    Secret follows the Ingress: what waits for the pod before it declares the Ingress must mount it as optional."""

    def client_id(self, name: str) -> str:
        """Return the client id of ``chat``, ``grafana``, ``jenkins`` or ``argocd``."""
        return self.client_ids[name]

    def secret_key(self, name: str) -> str:
        """Return the key, in the stack's secrets, of a client's secret."""
        return self.clients[name].secret_key

    def redirect_path(self, name: str) -> str:
        """Return where people come back to, below the client's own address."""
        return self.clients[name].redirect_path

    def flow(self, component: str) -> Flow:
        """Return the call of a component's pods to the issuer, for the component's plan."""
        return Flow(source=component, target=self.target, port=self.port, reason="ask the issuer who somebody is")


def login_of(stack: StackConfig) -> Login | None:
    """Return how people log in; None where each part keeps its own accounts."""
    login = stack.network.login
    if not login:
        return None
    clients = {client.name: client for client in clients_of(stack)}
    controller = stack.network.controller
    target, port = _place(login.issuer) if login.issuer else (INGRESS, https_port(controller) if controller else 443)
    return Login(
        issuer=login.issuer or issuer_url(stack),
        clients=clients,
        client_ids={
            **{name: name for name in clients},
            **{str(name): known for name, known in login.client_ids.items()},
        },
        redirects={
            name: public_url(stack, client.host(stack) or "") + client.redirect_path for name, client in clients.items()
        },
        scopes=login.scopes,
        admin_group=login.admin_group,
        user_group=login.user_group,
        target=target,
        port=port,
        host_aliases=(
            {controller.cluster_ip: (login.dex.host,)} if login.dex and controller and controller.cluster_ip else {}
        ),
        own_ca=bool(login.dex) and cluster_issuer(stack) == OWN_CA,
    )


def issuer_url(stack: StackConfig) -> str:
    """Return the address of an issuer of our own."""
    dex = stack.network.login.dex if stack.network.login else None
    return public_url(stack, dex.host) if dex else ""


def _place(issuer: str) -> tuple[str, int]:
    """Return where an issuer that is not ours is, as the end of a flow and its port."""
    return World.ANYWHERE, urlsplit(issuer).port or 443
