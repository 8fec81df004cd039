"""Who people are."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from infra.config.certificates import Email
from infra.config.types import DnsLabel, HostName, Image, Mib, Section, Url

Group = Annotated[str, Field(min_length=1, max_length=128)]
"""Name of a group, as the issuer writes it into people's tokens."""

Scope = Annotated[str, Field(pattern=r"^[!#-\[\]-~]+$", max_length=128)]
"""Scope as OAuth 2 allows it (RFC 6749, 3.3)."""

SECRET_FIELDS = {"ldap": "bindPW"}
"""Connector type -> field of its configuration that is secret, where that is not ``clientSecret``."""


class ConnectorConfig(Section):
    """Where an issuer of our own finds people and their groups: a Git server, a directory, another issuer."""

    type: Literal["gitea", "gitlab", "github", "ldap", "oidc", "google", "microsoft"]
    name: str
    """What people read on the login page."""
    config: dict[str, Any]
    """Its fields as Dex knows them, without the secret one and ``redirectURI``: those are set here."""
    port: Annotated[int, Field(ge=1, le=65535, strict=True)] = 443
    """TCP port under which the pods reach it."""

    @property
    def secret_field(self) -> str:
        """Field of ``config`` that `aihub:loginConnectorSecret` fills."""
        return SECRET_FIELDS.get(self.type, "clientSecret")

    @model_validator(mode="after")
    def _secret_is_apart(self) -> "ConnectorConfig":
        if self.secret_field in self.config:
            raise ValueError(f"config.{self.secret_field} is a secret: leave it out and set loginConnectorSecret")
        return self


class DexConfig(Section):
    """An issuer of our own: Dex."""

    host: HostName
    """Host name of the login page."""
    image: Image
    """Dex 2.45 or later: the first that gives its own accounts groups."""
    namespace: DnsLabel = "login"
    administrator: Email
    """Account in the admin group; its password's hash is `aihub:loginAdminHash`."""
    user: Email | None = None
    """A second account, in the user group only; its password's hash is `aihub:loginUserHash`."""
    connector: ConnectorConfig | None = None
    """Where everybody else comes from; absent: there are the accounts above and no others."""
    memory_mib: Mib = 128


class LoginConfig(Section):
    """One OpenID Connect issuer for everything that people log in to: exactly one of ``issuer`` and ``dex``."""

    issuer: Url | None = None
    """An issuer that exists already; it must know our clients, and put groups into the claim ``groups``."""
    client_ids: dict[Literal["chat", "grafana", "jenkins", "argocd"], str] = Field(default_factory=dict)
    """What ``issuer`` calls our clients, where it gives ids of its own."""
    scopes: tuple[Scope, ...] = ("openid", "profile", "email", "groups")
    """What clients ask for; an issuer that knows no scope ``groups`` refuses it: GitLab gives groups without it."""
    dex: DexConfig | None = None
    """An issuer of our own."""
    admin_group: Group = "aihub-admins"
    """Group whose members administer: Grafana, Jenkins, Argo CD."""
    user_group: Group = "aihub-users"
    """Group whose members may use the chat and look at the rest."""

    @model_validator(mode="after")
    def _one_issuer(self) -> "LoginConfig":
        if (self.issuer is None) == (self.dex is None):
            raise ValueError("set exactly one of issuer and dex")
        if self.issuer and not self.issuer.startswith("https://"):
            raise ValueError("issuer must be an https address: tokens are worth what the connection is")
        if self.dex and self.client_ids:
            raise ValueError("clientIds are of an issuer that is not ours: leave them out with dex")
        if "openid" not in self.scopes:
            raise ValueError("scopes must hold openid: without it an issuer says nobody's name")
        if self.admin_group == self.user_group:
            raise ValueError("adminGroup and userGroup are the same group: then everybody administers")
        return self
