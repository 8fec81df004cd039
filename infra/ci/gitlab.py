"""What a GitLab that exists already must know: the webhooks, and a token that reads the source."""

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.ci.webhook import Webhook

DEPLOY_USER = "aihub-ci"


@dataclass(frozen=True, kw_only=True)
class FollowedProject:
    """The project that Argo CD follows; the token must reach it, too: then it is a group's, or a person's."""

    project: str
    """Path of the project."""
    branch: str
    """Branch that is followed."""
    webhook: Webhook
    """What a push calls."""
    secret: Input[str]
    """What Argo CD compares with the header; pass a secret Output."""


@dataclass(frozen=True, kw_only=True)
class GitLabProjectArgs:
    """What a :class:`GitLabProject` needs from its caller."""

    url: str
    """Address of the GitLab."""
    project: str
    """Path of the project."""
    branch: str
    """Branch whose pushes call Jenkins."""
    token: Input[str]
    """Access token with scope ``api`` and role Maintainer; pass a secret Output."""
    webhooks: Sequence[Webhook]
    """What to call."""
    webhook_secret: Input[str]
    """What Jenkins compares with the header; pass a secret Output."""
    followed: FollowedProject | None = None
    """What Argo CD follows, where it is told of pushes; absent: it looks by itself."""
    verify_tls: bool
    """Whether GitLab checks Jenkins' certificate; False only where it is of a CA that GitLab does not know."""


class GitLabProject(ComponentResource):
    """A project's webhooks, and a deploy token with which builds read it.

    `make up` has looked at the token (ops/preflight/gitlab.py). For whoever calls `pulumi up` alone, the provider asks
    GitLab who it is before it changes anything there (``early_auth_check``); other things are made by then.
    """

    deploy_username: Output[str]
    """User name of the deploy token."""
    deploy_password: Output[str]
    """The deploy token itself; a secret."""

    def __init__(self, name: str, args: GitLabProjectArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:ci:GitLabProject", name, {}, opts)
        import pulumi_gitlab as gitlab  # noqa: PLC0415 - a third of the program's start, for the stacks that use it

        provider = gitlab.Provider(
            f"{name}-provider",
            base_url=f"{args.url.rstrip('/')}/api/v4/",
            token=args.token,
            early_auth_check=True,
            opts=ResourceOptions(parent=self),
        )
        child = ResourceOptions(parent=self, provider=provider)
        for webhook in args.webhooks:
            pushes = "push" in webhook.events
            gitlab.ProjectHook(
                f"{name}-hook-{webhook.url.rpartition('/project/')[2].replace('/', '-')}",
                project=args.project,
                url=webhook.url,
                token=args.webhook_secret,
                push_events=pushes,
                push_events_branch_filter=args.branch if pushes else None,
                merge_requests_events="review" in webhook.events,
                enable_ssl_verification=args.verify_tls,
                opts=child,
            )
        if args.followed:
            gitlab.ProjectHook(
                f"{name}-hook-argocd",
                project=args.followed.project,
                url=args.followed.webhook.url,
                token=args.followed.secret,
                push_events=True,
                push_events_branch_filter=args.followed.branch,
                enable_ssl_verification=args.verify_tls,
                opts=child,
            )
        token = gitlab.ProjectDeployToken(
            f"{name}-deploy-token",
            project=args.project,
            name=DEPLOY_USER,
            username=DEPLOY_USER,
            scopes=["read_repository"],
            opts=ResourceOptions.merge(child, ResourceOptions(additional_secret_outputs=["token"])),
        )
        self.deploy_username = token.username
        self.deploy_password = Output.secret(token.token)
        self.register_outputs({"deploy_username": self.deploy_username, "deploy_password": self.deploy_password})
