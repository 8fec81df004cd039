"""Secrets of the Git server and of Jenkins."""

from infra.config.secret_keys.row import Derivation, Hash, Origin, SecretKey, unless_in_vault
from infra.config.stack import StackConfig

_git_server = unless_in_vault(lambda stack: stack.ci.git and stack.ci.git.server)
_jenkins = unless_in_vault(lambda stack: stack.ci.jenkins)
_signs = unless_in_vault(lambda stack: stack.ci.jenkins and stack.ci.jenkins.signer_image)


def _gitlab(stack: StackConfig) -> bool:
    return bool(stack.ci.git and stack.ci.git.gitlab)


CI = (
    SecretKey(
        name="gitWebhookSecret",
        purpose="the Git server to Jenkins: signs each webhook, or stands in its header (GitLab)",
        # From the stack even where the rest is in Vault: this program tells it to GitLab.
        is_needed=lambda stack: _jenkins(stack) or (bool(stack.ci.jenkins) and _gitlab(stack)),
        also_in_vault=True,
    ),
    SecretKey(
        name="gitToken",
        purpose="this program and Jenkins to GitLab: an access token with scope api and role Maintainer",
        is_needed=_gitlab,
        origin=Origin.GIVEN,
        also_in_vault=True,
    ),
    SecretKey(name="gitAdminPassword", purpose="the administrator to the Git server", is_needed=_git_server),
    SecretKey(name="gitRobotPassword", purpose="pipelines to the Git server: comments", is_needed=_git_server),
    SecretKey(
        name="giteaSecretKey",
        purpose="the Git server's key for what it keeps encrypted",
        is_needed=_git_server,
        encrypts="people's second factors, and passwords of mirrors and of other servers that were set in Gitea",
    ),
    SecretKey(name="giteaSigningKey", purpose="the Git server signs by it: 32 bytes base64url", is_needed=_git_server),
    SecretKey(name="giteaInternalToken", purpose="the Git server's parts to one another", is_needed=_git_server),
    SecretKey(
        name="jenkinsAdminPassword",
        purpose="the administrator to Jenkins, where nobody else can log in",
        is_needed=_jenkins,
    ),
    SecretKey(
        name="cosignKey",
        purpose="pipelines sign images with it; its public half is cosign.pub beside the secrets",
        is_needed=_signs,
        origin=Origin.DERIVED,
        derivation=Derivation(source="cosignPassword", hash=Hash.COSIGN),
    ),
    SecretKey(name="cosignPassword", purpose="opens cosignKey; renewing it makes a new pair", is_needed=_signs),
)
