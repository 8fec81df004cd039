"""From the configuration of Jenkins to its components."""

from pulumi import Output

from infra.ci.agents import DRIFT, REVIEW
from infra.ci.build_pod import Builder
from infra.ci.builds import Builds, BuildsArgs
from infra.ci.drift import DriftReader, DriftReaderArgs
from infra.ci.gitlab_room import deploy_secret
from infra.ci.jcasc import config_scripts
from infra.ci.jenkins import Jenkins, JenkinsArgs
from infra.ci.jenkins_settings import casc_settings
from infra.ci.plugins import plugins
from infra.ci.secret_files import COSIGN, GIT_ROBOT, GITLAB_ROBOT_FILES, ROBOT_FILES, SIGNING_FILES
from infra.ci.webhook import JENKINS
from infra.config.ci import GitLabConfig, JenkinsConfig
from infra.network.address import cluster_issuer, public_url
from infra.network.authorities import version_of
from infra.network.login import login_of
from infra.secrets.files import declare_secret
from infra.site import Site


def declare_jenkins(site: Site, config: JenkinsConfig, builder: Builder, gitlab: GitLabConfig | None) -> Jenkins:
    """Declare Jenkins, and what its builds refer to by name; it has its jobs and their triggers once it is ready."""
    stack, login = site.stack, login_of(site.stack)
    account = {"username": "admin", "password": "${jenkinsAdminPassword}"}
    admin = declare_secret(site, "ci", "jenkins-admin", "ci", account)
    files = {"webhook-secret": "${gitWebhookSecret}"}
    if login:
        files["login-secret"] = f"${{{login.secret_key('jenkins')}}}"
    if gitlab:
        files["git-token"] = "${gitToken}"
    secrets = declare_secret(site, "ci", "jenkins-secrets", "ci", files)
    Builds(
        "reviews",
        BuildsArgs(
            namespace=site.namespaces["reviews"],
            component=REVIEW,
            storage_class=stack.storage.storage_class,
        ),
        opts=site.options,
    )
    # Pods refer to these by name; they come and go with the builds.
    DriftReader(DRIFT, DriftReaderArgs(namespace=site.namespaces["builds"]), opts=site.options)
    declare_secret(site, "ci", GIT_ROBOT, "builds", GITLAB_ROBOT_FILES if gitlab else ROBOT_FILES)
    if config.signer_image:
        declare_secret(site, "ci", COSIGN, "builds", SIGNING_FILES)
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
            scripts=config_scripts(casc_settings(stack, config, builder)),
            admin_secret=admin.secret,
            secrets=secrets.secret,
            secrets_version=Output.concat(admin.version, secrets.version),
            deploy_secret=deploy_secret(site, gitlab) if gitlab else None,
            storage_class=stack.storage.storage_class,
            storage_gib=config.storage_gib,
            memory_mib=config.memory_mib,
            host_aliases=login.host_aliases if login else {},
            own_ca=bool(login and login.own_ca),
            authorities=version_of(stack),
        ),
        opts=site.options,
    )
