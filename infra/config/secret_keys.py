"""Every secret of a stack, once: what it is for, which stacks need it, and where its value comes from."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from infra.config.aipp import DATABASE_PASSWORD, QUEUE_PASSWORD, REDIS_PASSWORD
from infra.config.login import DexConfig
from infra.config.login_clients import CLIENTS, LoginClient, clients_of
from infra.config.stack import StackConfig


class Origin(StrEnum):
    """Where a value comes from; `make up` makes all but the given ones, and keeps what it made."""

    RANDOM = "random"
    """256 random bits."""
    DERIVED = "derived"
    """Worked out from a secret that people use and the cluster must not know (see :class:`Hash`)."""
    GIVEN = "given"
    """Somebody else's: a person sets it with `pulumi config set --secret`."""


class Hash(StrEnum):
    """How a derived secret comes from its source."""

    SHA256 = "sha256"
    """Hexadecimal SHA-256: enough for 256 random bits."""
    BCRYPT = "bcrypt"
    """A bcrypt hash, as Argo CD and Dex want it."""
    HTPASSWD = "htpasswd"
    """A line `USER:bcrypt`, as the registry wants it; the user is `registry.username`."""


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """Where a derived secret comes from."""

    source: str
    """Name of the secret that people use, e.g. `apiKey`; `make up` makes it and keeps it in `.aihub/<stack>/`. It may
    be another row's name, too."""
    hash: Hash
    """How."""


@dataclass(frozen=True, kw_only=True)
class SecretKey:
    """One secret."""

    name: str
    """Configuration key, without the project's prefix."""
    purpose: str
    """Who proves what to whom with it."""
    is_needed: Callable[[StackConfig], bool]
    """Whether a stack needs it in its own configuration."""
    origin: Origin = Origin.RANDOM
    """Where the value comes from."""
    derivation: Derivation | None = None
    """For a derived one: from what, and how."""


def _without_vault(stack: StackConfig) -> bool:
    return not stack.secrets.vault


def _git_server(stack: StackConfig) -> bool:
    return bool(stack.ci.git and stack.ci.git.server) and _without_vault(stack)


def _gitlab(stack: StackConfig) -> bool:
    return bool(stack.ci.git and stack.ci.git.gitlab)


def _signs(stack: StackConfig) -> bool:
    return bool(stack.ci.jenkins and stack.ci.jenkins.signer_image) and _without_vault(stack)


def _backs_up_to_s3(stack: StackConfig) -> bool:
    longhorn = stack.storage.longhorn
    return bool(longhorn and longhorn.backups and longhorn.backups.is_s3) and _without_vault(stack)


def _dex(stack: StackConfig) -> DexConfig | None:
    login = stack.network.login
    return login.dex if login and _without_vault(stack) else None


def _argocd(stack: StackConfig) -> bool:
    return bool(stack.delivery.argocd) and _without_vault(stack)


def _aipp(stack: StackConfig) -> bool:
    return bool(stack.aipp) and _without_vault(stack)


def _asks_new_versions(stack: StackConfig) -> bool:
    return stack.chat.api.rollout != "rolling" and _without_vault(stack)


def _client_secret(client: LoginClient) -> SecretKey:
    return SecretKey(
        name=client.secret_key,
        purpose=f"{client.title} to the issuer that people log in at; set the issuer's own where it is not ours",
        is_needed=lambda stack: client in clients_of(stack) and _without_vault(stack),
    )


SECRETS = (
    SecretKey(name="redisPassword", purpose="the api to Redis", is_needed=_without_vault),
    SecretKey(name="engineKey", purpose="the api to its engine", is_needed=_without_vault),
    SecretKey(
        name="apiKeySha256",
        purpose="people and programs to the api; the hash is all that the cluster gets",
        is_needed=_without_vault,
        origin=Origin.DERIVED,
        derivation=Derivation(source="apiKey", hash=Hash.SHA256),
    ),
    SecretKey(
        name="registryPassword",
        purpose="builders and nodes to the registry",
        # From the stack even where the rest is in Vault: this program needs the login itself, for pushing.
        is_needed=lambda stack: bool(stack.registry.username),
        origin=Origin.GIVEN,
    ),
    SecretKey(
        name="registryHtpasswd",
        purpose="the registry's accounts, as hashes",
        is_needed=lambda stack: bool(stack.registry.server and stack.registry.server.basic_auth),
        origin=Origin.DERIVED,
        derivation=Derivation(source="registryPassword", hash=Hash.HTPASSWD),
    ),
    *(_client_secret(client) for client in CLIENTS),
    SecretKey(
        name="loginAdminHash",
        purpose="the administrator to the issuer of our own",
        is_needed=lambda stack: _dex(stack) is not None,
        origin=Origin.DERIVED,
        derivation=Derivation(source="loginAdminPassword", hash=Hash.BCRYPT),
    ),
    SecretKey(
        name="loginUserHash",
        purpose="the second account to the issuer of our own",
        is_needed=lambda stack: (dex := _dex(stack)) is not None and dex.user is not None,
        origin=Origin.DERIVED,
        derivation=Derivation(source="loginUserPassword", hash=Hash.BCRYPT),
    ),
    SecretKey(
        name="loginConnectorSecret",
        purpose="the issuer of our own to where it finds people",
        is_needed=lambda stack: (dex := _dex(stack)) is not None and dex.connector is not None,
        origin=Origin.GIVEN,
    ),
    SecretKey(
        name="acmeDnsSecret",
        purpose="cert-manager to the keeper of the domain's DNS zone",
        is_needed=lambda stack: bool(
            stack.network.certificates and stack.network.certificates.acme and _without_vault(stack)
        ),
        origin=Origin.GIVEN,
    ),
    SecretKey(
        name="grafanaAdminPassword",
        purpose="the administrator to Grafana, where nobody else can log in",
        is_needed=lambda stack: bool(stack.observability.stack) and _without_vault(stack),
    ),
    SecretKey(
        name="penpotSecretKey",
        purpose="Penpot's own signatures, in place of the one that its chart publishes",
        is_needed=lambda stack: bool(stack.tools.penpot) and _without_vault(stack),
    ),
    SecretKey(
        name="penpotDatabasePassword",
        purpose="Penpot to its PostgreSQL",
        is_needed=lambda stack: bool(stack.tools.penpot) and _without_vault(stack),
        origin=Origin.GIVEN,
    ),
    SecretKey(
        name="penpotRedisPassword",
        purpose="Penpot to its Redis",
        is_needed=lambda stack: bool(stack.tools.penpot) and _without_vault(stack),
        origin=Origin.GIVEN,
    ),
    *(
        SecretKey(name=name, purpose=purpose, is_needed=_backs_up_to_s3, origin=Origin.GIVEN)
        for name, purpose in (
            ("backupAccessKey", "Longhorn to the S3 service that backups go to: the account"),
            ("backupSecretKey", "Longhorn to the S3 service that backups go to: its key"),
        )
    ),
    SecretKey(
        name="argocdAdminHash",
        purpose="the administrator to Argo CD, where nobody else can log in",
        is_needed=_argocd,
        origin=Origin.DERIVED,
        derivation=Derivation(source="argocdAdminPassword", hash=Hash.BCRYPT),
    ),
    SecretKey(name="argocdSessionKey", purpose="Argo CD's signature under its sessions", is_needed=_argocd),
    SecretKey(name="argocdRedisPassword", purpose="Argo CD's parts to their cache", is_needed=_argocd),
    SecretKey(
        name="deliveryPassword",
        purpose="Argo CD, Image Updater and the rollback to Git; set delivery.username's own where Git is not ours",
        is_needed=lambda stack: bool(stack.delivery.username) and _without_vault(stack),
    ),
    SecretKey(
        name="gitWebhookSecret",
        purpose="the Git server to Jenkins: signs each webhook, or stands in its header (GitLab)",
        # From the stack even where the rest is in Vault: this program tells it to GitLab.
        is_needed=lambda stack: bool(stack.ci.jenkins) and (_without_vault(stack) or bool(_gitlab(stack))),
    ),
    SecretKey(
        name="gitToken",
        purpose="this program and Jenkins to GitLab: an access token with scope api and role Maintainer",
        is_needed=lambda stack: bool(_gitlab(stack)),
        origin=Origin.GIVEN,
    ),
    SecretKey(name="gitAdminPassword", purpose="the administrator to the Git server", is_needed=_git_server),
    SecretKey(name="gitRobotPassword", purpose="pipelines to the Git server: comments", is_needed=_git_server),
    SecretKey(name="giteaSecretKey", purpose="the Git server's key for what it keeps encrypted", is_needed=_git_server),
    SecretKey(name="giteaSigningKey", purpose="the Git server signs by it: 32 bytes base64url", is_needed=_git_server),
    SecretKey(name="giteaInternalToken", purpose="the Git server's parts to one another", is_needed=_git_server),
    SecretKey(
        name="jenkinsAdminPassword",
        purpose="the administrator to Jenkins, where nobody else can log in",
        is_needed=lambda stack: bool(stack.ci.jenkins) and _without_vault(stack),
    ),
    SecretKey(
        name="cosignKey",
        purpose="pipelines sign images with it: the file cosign.key of `cosign generate-key-pair`",
        is_needed=_signs,
        origin=Origin.GIVEN,
    ),
    SecretKey(
        name="cosignPassword",
        purpose="opens cosignKey",
        is_needed=_signs,
        origin=Origin.GIVEN,
    ),
    SecretKey(name="analysisKey", purpose="the analysis of a rollout to the new api", is_needed=_asks_new_versions),
    SecretKey(
        name="analysisKeySha256",
        purpose="the same to the api, which gets the hash only",
        is_needed=_asks_new_versions,
        origin=Origin.DERIVED,
        derivation=Derivation(source="analysisKey", hash=Hash.SHA256),
    ),
    SecretKey(name=DATABASE_PASSWORD, purpose="the vendor's services to their database", is_needed=_aipp),
    SecretKey(name=REDIS_PASSWORD, purpose="the vendor's services to their Redis", is_needed=_aipp),
    SecretKey(name=QUEUE_PASSWORD, purpose="the vendor's services, and people, to their RabbitMQ", is_needed=_aipp),
)
"""In the order in which a missing one is reported."""

SECRET_KEYS = tuple(secret.name for secret in SECRETS)


def required_secrets(stack: StackConfig) -> tuple[str, ...]:
    """Return the secret keys that must be set for ``stack``."""
    return tuple(secret.name for secret in SECRETS if secret.is_needed(stack))
