"""How a registry is addressed and logged in to."""

from dataclasses import dataclass

from pulumi import Input, Resource

from infra.config.harbor import HarborConfig
from infra.config.registry import RegistryConfig


@dataclass(frozen=True, kw_only=True)
class Account:
    """One who logs in to a registry."""

    host: str
    """Address of the registry as in image references."""
    username: str
    """Name of the account."""
    key: str
    """What its password is called in the table of secrets."""


@dataclass(frozen=True, kw_only=True)
class Registry:
    """Where our images go."""

    host: str
    """Address as in image references."""
    project: str
    """First path segment."""
    base_image: str
    """What our Dockerfiles start from."""
    username: str | None = None
    """Account for pushing; absent: no login."""
    password: Input[str] | None = None
    """Its password; pass a secret Output."""
    server: Resource | None = None
    """What must be there before anything is pushed: our own server, or Harbor's projects; absent: nothing."""

    def repository(self, name: str) -> str:
        """Return the reference of our image ``name`` without a tag."""
        return f"{self.host}/{self.project}/{name}"


PASSWORD_KEY, PULLER_KEY = "registryPassword", "harborPullPassword"
"""What the accounts' passwords are called in the table of secrets."""
PULLER, BUILDER, COPIER = "aihub-nodes", "aihub-builder", "aihub-mirror"
"""Harbor's robots: who pulls for the cluster, who pushes what is built here, who pushes copies."""
PULL_SECRET_TYPE = "kubernetes.io/dockerconfigjson"  # noqa: S105 - its type


def robot_name(config: HarborConfig, robot: str) -> str:
    """Return what one of Harbor's robots logs in as."""
    return f"{config.robot_prefix}{robot}"


def puller_of(config: RegistryConfig) -> Account | None:
    """Return the account with which nodes pull; None where the registry asks for no login."""
    if config.harbor:
        return Account(host=config.host, username=robot_name(config.harbor, PULLER), key=PULLER_KEY)
    return Account(host=config.host, username=config.username, key=PASSWORD_KEY) if config.username else None


def pull_secret_name(space: str) -> str:
    """Return the name of the Secret with which the pods of a room pull, in the namespace that is its own."""
    return f"{space}-registry-pull"


def pull_secret_files(account: Account) -> dict[str, str]:
    """Return the template of the Secret with which nodes pull."""
    username = account.username.replace("$", "$$")  # a robot of Harbor's has one in its name
    login = f'"username":"{username}","password":"${{{account.key}}}"'
    return {".dockerconfigjson": f'{{"auths":{{"{account.host}":{{{login}}}}}}}'}
