"""What a Harbor holds that exists already: projects, caches of other registries, accounts for machines."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from infra.config.types import DnsLabel, Gib, Section, Url

TagPattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.*?\[\]{},-]{1,128}$")]
"""Tags by Harbor's own wildcards, e.g. ``v*``."""


class HarborProjectConfig(Section):
    """One project for images of our own, or copied ones: private, and each image is scanned when it is pushed."""

    quota_gib: Gib
    """Size beyond which Harbor refuses a push."""
    keep_newest: Annotated[int, Field(ge=1, le=1000, strict=True)] = 20
    """Images that are kept of each repository, the last pushed ones; older ones are removed at night. A pod on another
    node pulls what its workload names, tag or digest, so it must hold every version that one may go back to."""
    immutable_tags: TagPattern | None = None
    """Tags that mean the same image for ever: nobody pushes them again, nothing removes them. Absent: none, for a
    project whose tags are pushed again, as our own first one is."""


class HarborProxyConfig(Section):
    """One project that fetches from another registry what it lacks, and keeps it; everybody may pull from it."""

    kind: Literal["docker-hub", "docker-registry", "github", "quay"] = "docker-hub"
    """What the other registry is."""
    url: Url = "https://hub.docker.com"
    """Its address."""
    quota_gib: Gib
    """Size beyond which nothing more is kept."""
    keep_days: Annotated[int, Field(ge=1, le=3650, strict=True)] = 90
    """Days without a pull after which an image is removed; the next pull fetches it again."""


class HarborConfig(Section):
    """Projects, caches and robots at `registry.host`; docs/registry.md says how to take over those that are there."""

    username: str = "admin"
    """An administrator, with `aihub:harborAdminPassword`: only one may make caches and robots of several projects."""
    robot_prefix: str = "robot$"
    """What Harbor puts before the name of a robot (its setting `robot_name_prefix`)."""
    projects: Annotated[dict[DnsLabel, HarborProjectConfig], Field(min_length=1)]
    """Name -> project."""
    proxies: dict[DnsLabel, HarborProxyConfig] = Field(default_factory=dict)
    """Name -> project that is a cache."""

    @model_validator(mode="after")
    def _names_differ(self) -> "HarborConfig":
        if twice := self.projects.keys() & self.proxies.keys():
            raise ValueError(f"projects and proxies both have {', '.join(sorted(twice))}: a project is one of the two")
        return self
