"""Secrets of Argo CD and of who writes to Git for it."""

from infra.config.secret_keys.row import Derivation, Hash, Origin, SecretKey, unless_in_vault
from infra.config.stack import StackConfig

_argocd = unless_in_vault(lambda stack: stack.delivery.argocd)


def _is_told_of_pushes(stack: StackConfig) -> bool:
    return bool(stack.delivery.argocd and stack.delivery.argocd.webhook)


def _has_gitlab(stack: StackConfig) -> bool:
    return bool(stack.ci.git and stack.ci.git.gitlab)


DELIVERY = (
    SecretKey(
        name="argocdAdminHash",
        purpose="the administrator to Argo CD, where nobody else can log in",
        is_needed=_argocd,
        origin=Origin.DERIVED,
        derivation=Derivation(source="argocdAdminPassword", hash=Hash.BCRYPT),
    ),
    SecretKey(name="argocdSessionKey", purpose="Argo CD's signature under its sessions", is_needed=_argocd),
    SecretKey(
        name="argocdWebhookSecret",
        purpose="the Git server to Argo CD: signs each webhook, or stands in its header (GitLab)",
        # From the stack even where the rest is in Vault: this program tells it to GitLab.
        is_needed=lambda stack: _is_told_of_pushes(stack) and (_argocd(stack) or _has_gitlab(stack)),
        also_in_vault=True,
    ),
    SecretKey(name="argocdRedisPassword", purpose="Argo CD's parts to their cache", is_needed=_argocd),
    SecretKey(
        name="deliveryPassword",
        purpose="Argo CD, Image Updater and the rollback to Git; set delivery.username's own where Git is not ours",
        is_needed=unless_in_vault(lambda stack: stack.delivery.username),
    ),
)
