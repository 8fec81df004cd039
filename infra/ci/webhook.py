"""The addresses that a Git server calls, in Jenkins and in Argo CD, derived here and nowhere else. Declares nothing.

The old mistakes, and what rules them out:
- *Answered 200 and no build*: the address lacked Jenkins' own port, or the job had no trigger yet. The address comes
  from the Service (within the cluster) or from the ingress' port (from outside); the seed job creates each job
  together with its trigger, before the Git server is told the address.
- *A wrong secret is ignored*: GitLab's plugin answers 401 where a job has a secret and the header differs
  (BuildWebHookAction.java), the generic trigger answers 403 where the signature does not verify
  (GenericWebHookRequestReceiver.java), Argo CD answers 400 (its util/webhook). No secret stands in an address.
- *Argo CD answers 200 and refreshes nothing*: it compares the repository's page, as the call names it, with the address
  that it follows; a Git server must call itself by the host in that address. See :func:`names_itself`.
"""

from dataclasses import dataclass
from typing import Literal

from infra.ci.pipelines import PIPELINES
from infra.config import StackConfig
from infra.network.address import public_url

JENKINS = "jenkins"
"""Component, Service and release."""
JENKINS_PORT = 8080
AGENT_PORT = 50000
"""Where agents connect back to."""
SELECTOR = "aihub"
"""Which jobs a call of the generic trigger is for; no secret, and so in the address."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One address that the Git server calls."""

    url: str
    """With Jenkins' own port and path."""
    events: frozenset[Literal["push", "review"]]
    """On what."""
    header: str
    """Header of the call that proves the secret."""
    proof: Literal["hmac-sha256", "secret"]
    """What stands in it: a signature of the body, or the secret as it is (all that GitLab offers)."""
    refusal: int
    """Status of the answer to a call whose proof is wrong."""


def jenkins_url(stack: StackConfig) -> str:
    """Return Jenkins' address within the cluster; empty where there is none."""
    jenkins = stack.ci.jenkins
    return f"http://{JENKINS}.{jenkins.namespace}.svc:{JENKINS_PORT}" if jenkins else ""


def webhooks(stack: StackConfig) -> tuple[Webhook, ...]:
    """Return what the stack's Git server calls; nothing without Jenkins."""
    git, jenkins = stack.ci.git, stack.ci.jenkins
    if not git or not jenkins:
        return ()
    if git.gitlab:
        outside = public_url(stack, jenkins.host)
        return tuple(
            Webhook(
                url=f"{outside}/project/{pipeline.path}",
                events=frozenset({pipeline.starts_on}),
                header="X-Gitlab-Token",
                proof="secret",
                refusal=401,
            )
            for pipeline in PIPELINES
            if pipeline.starts_on in {"push", "review"}
        )
    return (
        Webhook(
            url=f"{jenkins_url(stack)}/generic-webhook-trigger/invoke?token={SELECTOR}",
            events=frozenset({"push", "review"}),
            header="X-Gitea-Signature",
            proof="hmac-sha256",
            refusal=403,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class ArgoCdWebhook(Webhook):
    """The one address in Argo CD."""

    setting: str
    """Key of Argo CD's own Secret under which it looks for this Git server's secret."""


def argocd_webhook(stack: StackConfig) -> ArgoCdWebhook | None:
    """Return what a push to the repository that Argo CD follows calls; None where it looks by itself."""
    git, argocd = stack.ci.git, stack.delivery.argocd
    if not (git and argocd and argocd.webhook):
        return None
    if git.gitlab:
        return ArgoCdWebhook(
            url=f"{public_url(stack, argocd.host or '')}/api/webhook",
            events=frozenset({"push"}),
            header="X-Gitlab-Token",
            proof="secret",
            refusal=400,
            setting="webhook.gitlab.secret",
        )
    return ArgoCdWebhook(
        # The chart's Service, port 80; TLS ends at the ingress controller.
        url=f"http://argocd-server.{stack.delivery.namespace}.svc/api/webhook",
        events=frozenset({"push"}),
        # Gitea sends Gogs' headers beside its own, and these are the ones that Argo CD knows.
        header="X-Gogs-Signature",
        proof="hmac-sha256",
        refusal=400,
        setting="webhook.gogs.secret",
    )


def names_itself(stack: StackConfig) -> str:
    """Return the address by which a Git server of our own names its repositories in what it sends; empty: none is.

    With a webhook to Argo CD it is the one that Argo CD follows: else the public one, which people's links lead to.
    Pages get the host that people asked for either way (Gitea's PUBLIC_URL_DETECTION).
    """
    server = stack.ci.git.server if stack.ci.git else None
    if not server:
        return ""
    return server.url if argocd_webhook(stack) or not server.host else public_url(stack, server.host)
