"""The Secrets of this room: what is in each."""

from collections.abc import Mapping

from infra.ci.git import ROBOT

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
