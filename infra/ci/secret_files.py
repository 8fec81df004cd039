"""The Secrets of this room: what is in each, and how they are declared."""

from collections.abc import Mapping

from infra.ci.git import ROBOT
from infra.cluster import labels
from infra.secrets.files import SecretFiles, SecretFilesArgs
from infra.site import Site

GIT_ROBOT = "git-robot"
"""Secret, among the builders, of the account that comments on merge requests."""
COSIGN = "cosign"
"""Secret, among the builders, of the key that signs images."""
JENKINS_WEBHOOK, ARGOCD_WEBHOOK = "webhook-secret", "argocd-webhook-secret"
"""Files with what signs a call of each."""
WEBHOOK_FILES: Mapping[str, str] = {
    JENKINS_WEBHOOK: "${gitWebhookSecret}",
    ARGOCD_WEBHOOK: "${argocdWebhookSecret}",
}
ROBOT_FILES: Mapping[str, str] = {"username": ROBOT, "password": "${gitRobotPassword}"}
GITLAB_ROBOT_FILES: Mapping[str, str] = {"username": "", "password": "${gitToken}"}
SIGNING_FILES: Mapping[str, str] = {"cosign.key": "${cosignKey}", "cosign.password": "${cosignPassword}"}


def declare_secret(site: Site, name: str, space: str, files: Mapping[str, str]) -> SecretFiles:
    """Declare a Secret in a space of this room."""
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
