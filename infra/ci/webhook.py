"""The addresses that a Git server calls in Jenkins, derived here and nowhere else. Declares nothing.

The old mistakes, and what rules them out:
- *Answered 200 and no build*: the address lacked Jenkins' own port, or the job had no trigger yet. The address comes
  from the Service (within the cluster) or from the ingress' port (from outside); the seed job creates each job
  together with its trigger, before the Git server is told the address.
- *A wrong secret is ignored*: GitLab's plugin answers 401 where a job has a secret and the header differs
  (BuildWebHookAction.java), the generic trigger answers 403 where the signature does not verify
  (GenericWebHookRequestReceiver.java). No secret stands in an address.
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
            if pipeline.starts_on != "call"
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
