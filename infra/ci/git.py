"""The Git server as others see it. Declares nothing."""

from dataclasses import dataclass

from infra.config import StackConfig, ci
from infra.network.address import public_url

GITEA, GITEA_PORT = ci.GITEA, ci.GITEA_PORT
ADMIN = "aihub-admin"
"""Administrator of a server of our own, with `aihub:gitAdminPassword`."""
ROBOT = "aihub-robot"
"""Account of pipelines on a server of our own, with `aihub:gitRobotPassword`: comments on merge requests."""


@dataclass(frozen=True, kw_only=True)
class Git:
    """Where the source is, and how a program reaches it from within the cluster."""

    url: str
    """Base address of the server."""
    project: str
    """OWNER/REPOSITORY of this repository."""
    branch: str
    """Branch whose every push becomes an image."""
    review_ref: str
    """Reference of a merge request's newest commit; ``%s`` is its number."""

    @property
    def clone_url(self) -> str:
        """Return the address to clone this repository from."""
        return f"{self.url}/{self.project}.git"


def git_of(stack: StackConfig) -> Git | None:
    """Return where the source is; None where the stack does not say."""
    git = stack.ci.git
    if not git:
        return None
    if git.gitlab:
        return Git(
            url=git.gitlab.url.rstrip("/"),
            project=git.gitlab.project,
            branch=git.branch,
            review_ref="refs/merge-requests/%s/head",
        )
    return Git(
        url=server_url(stack),
        project=f"{organisation(stack)}/{git.repository}",
        branch=git.branch,
        review_ref="refs/pull/%s/head",
    )


def page_of(stack: StackConfig, file: str) -> str | None:
    """Return where people read a file of this repository, on the branch that becomes images; None: on no page."""
    git, found = stack.ci.git, git_of(stack)
    if not git or not found:
        return None
    if git.gitlab:
        return f"{found.url}/{found.project}/-/blob/{found.branch}/{file}"
    if git.server and git.server.host:
        return f"{public_url(stack, git.server.host)}/{found.project}/src/branch/{found.branch}/{file}"
    return None


def server_url(stack: StackConfig) -> str:
    """Return the address, within the cluster, of a Git server of our own; empty where there is none."""
    server = stack.ci.git.server if stack.ci.git else None
    return server.url if server else ""


def organisation(stack: StackConfig) -> str:
    """Return the owner of the repositories on a server of our own; empty where there is none."""
    server = stack.ci.git.server if stack.ci.git else None
    return server.organisation if server else ""


def repositories(stack: StackConfig) -> tuple[str, ...]:
    """Return the repositories that a server of our own must have: the source, and what Argo CD follows."""
    git, delivery = stack.ci.git, stack.delivery.repository or ""
    if not git or not git.server:
        return ()
    followed = (followed_project(stack),) if delivery.startswith(git.prefix) else ()
    return tuple(dict.fromkeys((git.repository, *followed)))


def followed_project(stack: StackConfig) -> str:
    """Return what Argo CD follows as its Git server calls it, below our organisation there or below all of a GitLab."""
    git, repository = stack.ci.git, stack.delivery.repository or ""
    return repository.removeprefix(git.prefix if git else "").removesuffix(".git")


def delivery_account(stack: StackConfig) -> str | None:
    """Return the account that delivery writes with, if it lives on a server of our own."""
    return stack.delivery.username if len(repositories(stack)) > 1 else None
