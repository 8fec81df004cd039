"""From a push to an image: where the source is, what reacts to a push, what builds."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from infra.config.types import DnsLabel, Gib, HostName, Image, Mib, Millicores, Section, Url

_PROJECT = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*(/[A-Za-z0-9_.][A-Za-z0-9_.-]*)+")


def _project_path(value: str) -> str:
    if not _PROJECT.fullmatch(value):
        raise ValueError("must be the project's path as in its address, GROUP/PROJECT, e.g. platform/aihub")
    return value


GITEA = "gitea"
"""Component, Service and release of a Git server of our own."""
GITEA_PORT = 3000


class GitServerConfig(Section):
    """A Git server of our own, Gitea (why not Forgejo: docs/decisions/0901): one replica, SQLite, one volume."""

    namespace: DnsLabel = "git"
    image: Image
    """Gitea 1.24 or later with ``git``; the rootless variant of the official one, or our own."""
    host: HostName | None = None
    """Host name of its pages; absent: `kubectl port-forward` only."""
    organisation: DnsLabel = "aihub"
    """Owner of the repositories."""
    storage_gib: Gib = 10
    """Volume of repositories and database."""
    memory_mib: Mib = 512
    """Memory of the server; packing a large push takes most of it."""

    @property
    def url(self) -> str:
        """Its address, as pods reach it."""
        return f"http://{GITEA}.{self.namespace}.svc:{GITEA_PORT}"


class GitLabConfig(Section):
    """A project in a GitLab that exists already; its token is `aihub:gitToken`."""

    url: Url
    """Address of the GitLab, e.g. ``https://gitlab.example.com``."""
    project: Annotated[str, AfterValidator(_project_path)]
    """Path of the project with this repository, e.g. ``platform/aihub``."""


class GitConfig(Section):
    """Where the source is: a server of our own, or a GitLab."""

    server: GitServerConfig | None = None
    """A server of our own."""
    gitlab: GitLabConfig | None = None
    """A GitLab that exists already."""
    repository: DnsLabel = "aihub"
    """Name of this repository on a server of our own."""
    branch: str = "main"
    """Branch whose every push becomes an image."""

    @model_validator(mode="after")
    def _one_of_them(self) -> "GitConfig":
        if bool(self.server) == bool(self.gitlab):
            raise ValueError("set either server (a Git server of our own) or gitlab (one that exists), not both")
        return self

    @property
    def prefix(self) -> str:
        """How the addresses of its repositories begin, as pods reach them."""
        if self.server:
            return f"{self.server.url}/{self.server.organisation}/"
        return f"{self.gitlab.url.rstrip('/')}/" if self.gitlab else ""


class BuilderConfig(Section):
    """What turns a Dockerfile into an image, in a pod of its own without a Docker daemon."""

    kind: Literal["buildkit", "kaniko"] = "buildkit"
    """``buildkit``: rootless, cache on a volume. ``kaniko``: root in its container; its maintained fork."""
    namespace: DnsLabel = "builds"
    """A namespace of its own: neither builder passes Pod Security `restricted`."""
    image: Image
    """``moby/buildkit:...-rootless``, or ``osscontainertools/kaniko:...-debug``."""
    cpu_millicores: Millicores = 4000
    memory_mib: Mib = 4096
    """Memory of the builder; each build prints what it took of it. Kaniko needs about twice of what BuildKit does."""
    cache_gib: Gib | None = 20
    """Volume that keeps layers between builds; null: every build starts from nothing."""
    workspace_gib: Gib = 8
    """Limit of the checkout."""
    deadline_minutes: Annotated[int, Field(ge=1, le=1440, strict=True)] = 60
    """A build that takes longer is stopped."""

    @model_validator(mode="after")
    def _image_is_of_the_kind(self) -> "BuilderConfig":
        tag = self.image.rpartition("/")[2].partition(":")[2].partition("@")[0]
        if self.kind == "kaniko" and tag and "debug" not in tag:
            raise ValueError("image: Kaniko's plain image has no shell, which a build step needs: use its -debug tag")
        return self


class JenkinsConfig(Section):
    """Jenkins: reacts to pushes, runs each pipeline in pods of its own."""

    namespace: DnsLabel = "ci"
    host: HostName
    """Host name of its page; with the port of the ingress it is the address that GitLab calls."""
    storage_gib: Gib = 8
    """Volume of its home: jobs, logs, artefacts."""
    memory_mib: Mib = 2048
    """Memory of the controller; builds take none of it, they have pods of their own."""
    agent_image: Image = "docker.io/jenkins/inbound-agent:3385.vf1123fb_515da_-1"
    """What connects a pod to Jenkins; the version that the chart brings."""
    review_namespace: DnsLabel = "reviews"
    """Where code runs that nobody has approved yet: no Secret is in it."""
    test_image: Image = "docker.io/library/python:3.11.14-bookworm"
    """Debian with Python and Git: what tests run in."""
    test_memory_mib: Mib = 3072
    """Memory of a pod that runs tests."""
    scanner_image: Image = "docker.io/aquasec/trivy:0.70.0"
    """Trivy: lists what is in an image (SBOM), and which known faults."""
    signer_image: Image | None = None
    """Cosign with a shell, e.g. ``ghcr.io/sigstore/cosign/cosign:v3.0.5-dev``; then images are signed with
    `aihub:cosignKey`. Absent: they are not."""


class DriftConfig(Section):
    """A look for what somebody changed by hand, from a CI that is not ours (``ci/gitlab.yml``)."""

    namespace: DnsLabel = "drift"
    """Namespace of the account that it logs in with, which reads objects and no Secret; no pod runs there."""


class CiConfig(Section):
    """From a push to an image."""

    git: GitConfig | None = None
    """Absent: the source is nobody's business here."""
    builder: BuilderConfig | None = None
    """Absent: images are built by `pulumi up` only."""
    jenkins: JenkinsConfig | None = None
    """Absent: something else reacts to pushes, or nothing."""
    drift: DriftConfig | None = None
    """Absent: nothing looks from outside; Jenkins does from a pod of its own."""

    @model_validator(mode="after")
    def _jenkins_has_source_and_builder(self) -> "CiConfig":
        if self.jenkins and not (self.git and self.builder):
            raise ValueError("jenkins builds what git holds with builder: set all three, or leave jenkins out")
        if self.git and self.git.gitlab and not self.jenkins:
            raise ValueError("git.gitlab alone does nothing: its webhook goes to jenkins; set jenkins, or leave it out")
        return self

    @model_validator(mode="after")
    def _one_looks_for_drift(self) -> "CiConfig":
        if self.jenkins and self.drift:
            raise ValueError("drift is for a CI that is not ours, and jenkins looks every morning: leave drift out")
        return self
