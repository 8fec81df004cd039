"""From the configuration of a Git server of our own to its components."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from pulumi import Resource

from infra.ci.git import GITEA, delivery_account, followed_project, organisation, repositories
from infra.ci.gitea import Gitea, GiteaArgs
from infra.ci.gitea_config import SECRET_FILES
from infra.ci.gitea_entrance import GitEntrance, GitEntranceArgs
from infra.ci.gitea_setup import COMPONENT as SETUP
from infra.ci.gitea_setup import EVENTS, GiteaSetup, GiteaSetupArgs, GiteaWebhook
from infra.ci.secret_files import ARGOCD_WEBHOOK, JENKINS_WEBHOOK, WEBHOOK_FILES
from infra.ci.webhook import argocd_webhook, names_itself, webhooks
from infra.config import StackConfig
from infra.config.ci import GitServerConfig
from infra.network.address import cluster_issuer
from infra.secrets.files import SecretFiles, declare_secret
from infra.site import Site


def declare_server(site: Site, server: GitServerConfig, pull: SecretFiles | None) -> Gitea:
    """Declare the server, and its Ingress where it has a host name."""
    stack, namespace = site.stack, site.namespaces["git"]
    writer = delivery_account(stack)
    delivery = {"delivery-password": "${deliveryPassword}"} if writer else {}
    secret = declare_secret(site, "ci", "gitea-secrets", "git", {**SECRET_FILES, **delivery})
    if server.host:
        GitEntrance(
            "gitea-entrance",
            GitEntranceArgs(
                namespace=namespace,
                service=GITEA,
                host=server.host,
                ingress_class=stack.network.ingress_class,
                cluster_issuer=cluster_issuer(stack),
            ),
            opts=site.options,
        )
    return Gitea(
        GITEA,
        GiteaArgs(
            namespace=namespace,
            image=server.image,
            address=names_itself(stack),
            is_https=bool(server.host) and cluster_issuer(stack) is not None,
            webhook_hosts=_webhook_hosts(site),
            secrets=secret.secret,
            secrets_version=secret.version,
            accounts={writer: "delivery-password"} if writer else {},
            storage_class=stack.storage.storage_class,
            storage_gib=server.storage_gib,
            memory_mib=server.memory_mib,
            pull_secret=pull.secret if pull else None,
        ),
        opts=site.options,
    )


def _webhook_hosts(site: Site) -> list[str]:
    """Return the hosts that Gitea may call: Jenkins, Argo CD; what is in the cluster where something else builds."""
    calls, told = webhooks(site.stack), argocd_webhook(site.stack)
    if not calls:
        return ["private"]
    return [urlsplit(call.url).hostname or "" for call in (*calls, *((told,) if told else ()))]


def _webhooks(stack: StackConfig) -> list[GiteaWebhook]:
    """Return what is called: Jenkins for the source, Argo CD for the tree that it follows."""
    git, told = stack.ci.git, argocd_webhook(stack)
    calls = [(git.repository if git else "", call, JENKINS_WEBHOOK) for call in webhooks(stack)]
    calls += [(followed_project(stack), told, ARGOCD_WEBHOOK)] if told else []
    return [
        GiteaWebhook(
            repository=repository,
            url=call.url,
            events=tuple(event for kind, names in EVENTS.items() if kind in call.events for event in names),
            secret_file=file,
        )
        for repository, call, file in calls
    ]


def set_up(site: Site, gitea: Gitea, pull: SecretFiles | None, after: Sequence[Resource]) -> None:
    """Declare what the server must hold; ``after`` is what its webhooks call first."""
    stack = site.stack
    files = {"admin-password": SECRET_FILES["admin-password"]}
    calls = _webhooks(stack)
    files |= {call.secret_file: WEBHOOK_FILES[call.secret_file] for call in calls}
    secret = declare_secret(site, "ci", f"{SETUP}-secrets", "git", files)
    writer = delivery_account(stack)
    GiteaSetup(
        SETUP,
        GiteaSetupArgs(
            namespace=site.namespaces["git"],
            image=stack.registry.base_image,
            url=gitea.url,
            organisation=organisation(stack),
            repositories=repositories(stack),
            writers=(writer,) if writer else (),
            secrets=secret.secret,
            secrets_version=secret.version,
            webhooks=calls,
            after=after,
            pull_secret=pull.secret if pull else None,
        ),
        opts=site.options,
    )
