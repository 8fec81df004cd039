"""From the configuration of a GitLab that exists already to what it must know of us."""

from pulumi import Output

from infra.ci.git import followed_project
from infra.ci.gitlab import FollowedProject, GitLabProject, GitLabProjectArgs
from infra.ci.jenkins import DEPLOY_SECRET
from infra.ci.webhook import argocd_webhook, webhooks
from infra.cluster import labels
from infra.config.ci import GitLabConfig
from infra.secrets.files import SecretFiles, SecretFilesArgs
from infra.site import Site


def deploy_secret(site: Site, config: GitLabConfig) -> Output[str]:
    """Declare the webhooks and the deploy token in a GitLab, and the Secret with the token; return its name."""
    project = _project(site, config)
    secret = SecretFiles(
        DEPLOY_SECRET,
        SecretFilesArgs(
            namespace=site.namespaces["ci"],
            labels=labels("ci", DEPLOY_SECRET),
            files={"username": "${username}", "password": "${password}"},
            # Made by this program, so never in Vault.
            values={"username": project.deploy_username, "password": project.deploy_password},
        ),
        opts=site.options,
    )
    return secret.secret


def _project(site: Site, config: GitLabConfig) -> GitLabProject:
    git = site.stack.ci.git
    certificates, told = site.stack.network.certificates, argocd_webhook(site.stack)
    return GitLabProject(
        "gitlab",
        GitLabProjectArgs(
            url=config.url,
            project=config.project,
            branch=git.branch if git else "main",
            token=site.secrets.values["gitToken"],
            webhooks=webhooks(site.stack),
            webhook_secret=site.secrets.values["gitWebhookSecret"],
            followed=FollowedProject(
                project=followed_project(site.stack),
                branch=site.stack.delivery.branch,
                webhook=told,
                secret=site.secrets.values["argocdWebhookSecret"],
            )
            if told
            else None,
            verify_tls=not (certificates and certificates.issuer == "ownCa"),
        ),
    )
