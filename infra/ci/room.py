"""From the configuration of the Git server, the builder and Jenkins to their components.

The order matters: first Jenkins with its jobs and their triggers, then the webhook that calls them, so that the first
push finds somebody.
"""

from collections.abc import Mapping, Sequence

from pulumi import Output, Resource

from infra.ci.agents import REVIEW, REVIEW_CLOUD, TRUSTED_CLOUD, AgentImages, builder_agent, comment_agent, review_agent
from infra.ci.build_pod import COMPONENT as BUILD
from infra.ci.build_pod import Builder
from infra.ci.builder import builder_of
from infra.ci.builds import Builds, BuildsArgs
from infra.ci.git import GITEA, ROBOT, delivery_account, git_of, organisation, repositories
from infra.ci.gitea import Gitea, GiteaArgs
from infra.ci.gitea_config import SECRET_FILES
from infra.ci.gitea_entrance import GitEntrance, GitEntranceArgs
from infra.ci.gitea_setup import COMPONENT as SETUP
from infra.ci.gitea_setup import GiteaSetup, GiteaSetupArgs
from infra.ci.gitlab import GitLabProject, GitLabProjectArgs
from infra.ci.jcasc import CascSettings, LoginSettings, config_scripts
from infra.ci.jenkins import DEPLOY_SECRET, Jenkins, JenkinsArgs
from infra.ci.pipelines import BUILDER_LABEL, COMMENT_LABEL, TEST_LABEL
from infra.ci.plugins import plugins
from infra.ci.seed_jobs import seed_jobs
from infra.ci.webhook import JENKINS, jenkins_url, webhooks
from infra.cluster import labels
from infra.config.ci import GitLabConfig, GitServerConfig, JenkinsConfig
from infra.network.address import cluster_issuer, public_url
from infra.network.login import GROUPS_CLAIM, SCOPES, login_of
from infra.registry.access import Registry
from infra.registry.room import pull_secret
from infra.secrets.files import SecretFiles, SecretFilesArgs
from infra.site import Site

TEST_DEADLINE_SECONDS = 3600
GIT_ROBOT = "git-robot"
"""Secret, among the builders, of the account that comments on merge requests."""
COSIGN = "cosign"
"""Secret, among the builders, of the key that signs images."""
ROBOT_FILES: Mapping[str, str] = {"username": ROBOT, "password": "${gitRobotPassword}"}
GITLAB_ROBOT_FILES: Mapping[str, str] = {"username": "", "password": "${gitToken}"}
SIGNING_FILES: Mapping[str, str] = {"cosign.key": "${cosignKey}", "cosign.password": "${cosignPassword}"}


def declare(site: Site, registry: Registry) -> None:
    """Declare what the stack configures of the Git server, the builder and Jenkins."""
    ci = site.stack.ci
    builder = builder_of(site.stack)
    if builder:
        _builds(site, registry)
    server, gitlab = (ci.git.server, ci.git.gitlab) if ci.git else (None, None)
    pull = pull_secret(site, registry, "git") if server else None
    gitea = _gitea(site, server, pull) if server else None
    jenkins = _jenkins(site, ci.jenkins, builder, gitlab) if ci.jenkins and builder else None
    if gitea:
        _set_up(site, gitea, pull, [jenkins] if jenkins else [])


def _builds(site: Site, registry: Registry) -> None:
    config = site.stack.ci.builder
    assert config  # noqa: S101 - the caller looked
    pull = pull_secret(site, registry, "builds")
    Builds(
        "builds",
        BuildsArgs(
            namespace=site.namespaces["builds"],
            component=BUILD,
            storage_class=site.stack.storage.storage_class,
            cache_gib=config.cache_gib,
            pull_secret=pull.secret if pull else None,
        ),
        opts=site.options,
    )


def _secret(site: Site, name: str, space: str, files: Mapping[str, str]) -> SecretFiles:
    return SecretFiles(
        name,
        SecretFilesArgs(
            namespace=site.namespaces[space],
            labels=labels("ci", name),
            files=files,
            values=site.secrets.values,
            vault=site.stack.secrets.vault,
        ),
        opts=site.options,
    )


def _gitea(site: Site, server: GitServerConfig, pull: SecretFiles | None) -> Gitea:
    stack, namespace = site.stack, site.namespaces["git"]
    writer = delivery_account(stack)
    delivery = {"delivery-password": "${deliveryPassword}"} if writer else {}
    secret = _secret(site, "gitea-secrets", "git", {**SECRET_FILES, **delivery})
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
            address=public_url(stack, server.host) if server.host else f"http://{GITEA}.{server.namespace}.svc:3000",
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
    """Return the hosts that Gitea may call: Jenkins; where something else listens, what is in the cluster."""
    hosts = [webhook.url.split("/")[2].partition(":")[0] for webhook in webhooks(site.stack)]
    return hosts or ["private"]


def _set_up(site: Site, gitea: Gitea, pull: SecretFiles | None, after: Sequence[Resource]) -> None:
    stack = site.stack
    files = {"admin-password": SECRET_FILES["admin-password"]}
    if webhooks(stack):
        files["webhook-secret"] = "${gitWebhookSecret}"
    secret = _secret(site, f"{SETUP}-secrets", "git", files)
    calls = webhooks(stack)
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
            webhook_url=calls[0].url if calls else None,
            after=after,
            pull_secret=pull.secret if pull else None,
        ),
        opts=site.options,
    )


def _deploy_secret(site: Site, config: GitLabConfig) -> Output[str]:
    """Declare the webhooks and the deploy token in a GitLab, and the Secret with the token; return its name."""
    project = _gitlab(site, config)
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


def _gitlab(site: Site, config: GitLabConfig) -> GitLabProject:
    git = site.stack.ci.git
    certificates = site.stack.network.certificates
    return GitLabProject(
        "gitlab",
        GitLabProjectArgs(
            url=config.url,
            project=config.project,
            branch=git.branch if git else "main",
            token=site.secrets.values["gitToken"],
            webhooks=webhooks(site.stack),
            webhook_secret=site.secrets.values["gitWebhookSecret"],
            verify_tls=not (certificates and certificates.issuer == "ownCa"),
        ),
    )


def _jenkins(site: Site, config: JenkinsConfig, builder: Builder, gitlab: GitLabConfig | None) -> Jenkins:
    stack, login = site.stack, login_of(site.stack)
    admin = _secret(site, "jenkins-admin", "ci", {"username": "admin", "password": "${jenkinsAdminPassword}"})
    files = {"webhook-secret": "${gitWebhookSecret}"}
    if login:
        files["login-secret"] = f"${{{login.secret_key('jenkins')}}}"
    if gitlab:
        files["git-token"] = "${gitToken}"
    secrets = _secret(site, "jenkins-secrets", "ci", files)
    Builds(
        "reviews",
        BuildsArgs(
            namespace=site.namespaces["reviews"],
            component=REVIEW,
            storage_class=stack.storage.storage_class,
        ),
        opts=site.options,
    )
    scripts = config_scripts(_settings(site, config, builder, gitlab))
    return Jenkins(
        JENKINS,
        JenkinsArgs(
            namespace=site.namespaces["ci"],
            builds_namespace=site.namespaces["builds"],
            reviews_namespace=site.namespaces["reviews"],
            url=public_url(stack, config.host),
            host=config.host,
            ingress_class=stack.network.ingress_class,
            cluster_issuer=cluster_issuer(stack),
            plugins=plugins(stack, login=login is not None),
            scripts=scripts,
            admin_secret=admin.secret,
            secrets=secrets.secret,
            secrets_version=Output.concat(admin.version, secrets.version),
            deploy_secret=_deploy_secret(site, gitlab) if gitlab else None,
            storage_class=stack.storage.storage_class,
            storage_gib=config.storage_gib,
            memory_mib=config.memory_mib,
            host_aliases=login.host_aliases if login else {},
            own_ca=bool(login and login.own_ca),
        ),
        opts=site.options,
    )


def _settings(site: Site, config: JenkinsConfig, builder: Builder, gitlab: GitLabConfig | None) -> CascSettings:
    stack, git, login = site.stack, git_of(site.stack), login_of(site.stack)
    images = AgentImages(
        agent=config.agent_image,
        base=stack.registry.base_image,
        scanner=config.scanner_image,
        signer=config.signer_image,
    )
    # Pods refer to these by name; they come and go with the builds.
    _secret(site, GIT_ROBOT, "builds", GITLAB_ROBOT_FILES if gitlab else ROBOT_FILES)
    if config.signer_image:
        _secret(site, COSIGN, "builds", SIGNING_FILES)
    registry = stack.registry
    return CascSettings(
        url=public_url(stack, config.host),
        inside_url=jenkins_url(stack),
        namespace=config.namespace,
        builds_namespace=builder.namespace,
        reviews_namespace=config.review_namespace,
        templates={
            TRUSTED_CLOUD: (
                (BUILDER_LABEL, builder_agent(builder, images, COSIGN if config.signer_image else None)),
                (
                    COMMENT_LABEL,
                    comment_agent(images, service_account=builder.service_account, robot_secret=GIT_ROBOT),
                ),
            ),
            REVIEW_CLOUD: (
                (
                    TEST_LABEL,
                    review_agent(
                        images,
                        service_account=REVIEW,
                        memory_mib=config.test_memory_mib,
                        deadline_seconds=TEST_DEADLINE_SECONDS,
                    ),
                ),
            ),
        },
        jobs=seed_jobs(stack),
        environment={
            "AIHUB_REGISTRY": f"{registry.host}/{registry.project}",
            "AIHUB_PLAIN_HTTP": str(builder.registry_plain_http).lower(),
            "AIHUB_GIT_URL": git.url if git else "",
            "AIHUB_GIT_PROJECT": git.project if git else "",
            "AIHUB_GIT_KIND": "gitlab" if gitlab else "gitea",
            "AIHUB_REVIEW_REF": git.review_ref if git else "",
            "AIHUB_SIGN": str(bool(config.signer_image)).lower(),
            "AIHUB_ACCELERATOR": "cuda" if stack.chat.engine.gpu_count else "cpu",
        },
        login=LoginSettings(
            issuer=login.issuer,
            client_id=login.client_id("jenkins"),
            scopes=SCOPES,
            groups_claim=GROUPS_CLAIM,
            admin_group=login.admin_group,
            user_group=login.user_group,
        )
        if login
        else None,
        gitlab_url=gitlab.url if gitlab else None,
    )
