"""How a registry is addressed and logged in to."""

from dataclasses import dataclass

from pulumi import Input, Resource


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
    """Account; absent: no login."""
    password: Input[str] | None = None
    """Its password; pass a secret Output."""
    server: Resource | None = None
    """Our own server, which must run before anything is pushed; absent: the registry exists already."""

    def repository(self, name: str) -> str:
        """Return the reference of our image ``name`` without a tag."""
        return f"{self.host}/{self.project}/{name}"


PULL_SECRET = "registry-pull"  # noqa: S105 - the Secret's name
PULL_SECRET_TYPE = "kubernetes.io/dockerconfigjson"  # noqa: S105 - its type


def pull_secret_files(registry: Registry) -> dict[str, str]:
    """Return the template of the Secret with which nodes pull."""
    login = f'"username":"{registry.username}","password":"${{registryPassword}}"'
    return {".dockerconfigjson": f'{{"auths":{{"{registry.host}":{{{login}}}}}}}'}
