"""From a stack's configuration to what Jenkins is configured for. Declares nothing."""

from typing import Any

from pulumi import get_stack

from infra.ci.agents import (
    REVIEW,
    REVIEW_CLOUD,
    TRUSTED_CLOUD,
    AgentImages,
    builder_agent,
    comment_agent,
    drift_agent,
    review_agent,
)
from infra.ci.build_pod import Builder
from infra.ci.git import git_of
from infra.ci.jcasc import CascSettings, LoginSettings
from infra.ci.pipelines import BUILDER_LABEL, COMMENT_LABEL, DRIFT_LABEL, TEST_LABEL
from infra.ci.secret_files import COSIGN, GIT_ROBOT
from infra.ci.seed_jobs import seed_jobs
from infra.ci.trust import trusting
from infra.ci.webhook import jenkins_url
from infra.config import StackConfig
from infra.config.ci import JenkinsConfig
from infra.network.address import public_url
from infra.network.login import GROUPS_CLAIM, login_of

TEST_DEADLINE_SECONDS = 3600


def agents(
    stack: StackConfig, config: JenkinsConfig, builder: Builder
) -> dict[str, tuple[tuple[str, dict[str, Any]], ...]]:
    """Return the pods of pipelines: cloud -> label and pod of each."""
    images = AgentImages(
        agent=config.agent_image,
        base=stack.registry.base_image,
        tests=config.test_image,
        scanner=config.scanner_image,
        signer=config.signer_image,
    )
    builds = builder_agent(builder, images, COSIGN if config.signer_image else None)
    comments = comment_agent(images, service_account=builder.service_account, robot_secret=GIT_ROBOT)
    tests = review_agent(
        images, service_account=REVIEW, memory_mib=config.test_memory_mib, deadline_seconds=TEST_DEADLINE_SECONDS
    )
    clouds = {
        TRUSTED_CLOUD: {BUILDER_LABEL: builds, COMMENT_LABEL: comments, DRIFT_LABEL: drift_agent(images)},
        REVIEW_CLOUD: {TEST_LABEL: tests},
    }
    trust = builder.trusts_authorities
    return {
        cloud: tuple((label, trusting(pod, images.agent) if trust else pod) for label, pod in pods.items())
        for cloud, pods in clouds.items()
    }


def casc_settings(stack: StackConfig, config: JenkinsConfig, builder: Builder) -> CascSettings:
    """Return what Jenkins is configured for."""
    git, login = git_of(stack), login_of(stack)
    gitlab = stack.ci.git.gitlab if stack.ci.git else None
    registry = stack.registry
    return CascSettings(
        url=public_url(stack, config.host),
        inside_url=jenkins_url(stack),
        namespace=config.namespace,
        builds_namespace=builder.namespace,
        reviews_namespace=config.review_namespace,
        templates=agents(stack, config, builder),
        jobs=seed_jobs(stack),
        environment={
            "AIHUB_REGISTRY": f"{registry.host}/{registry.project}",
            "AIHUB_PLAIN_HTTP": str(builder.registry_plain_http).lower(),
            "AIHUB_GIT_URL": git.url if git else "",
            "AIHUB_GIT_PROJECT": git.project if git else "",
            "AIHUB_GIT_KIND": "gitlab" if gitlab else "gitea",
            "AIHUB_REVIEW_REF": git.review_ref if git else "",
            "AIHUB_STACK": get_stack(),
            "AIHUB_SIGN": str(bool(config.signer_image)).lower(),
            "AIHUB_ACCELERATOR": "cuda" if stack.chat.engine.gpu_count else "cpu",
        },
        login=LoginSettings(
            issuer=login.issuer,
            client_id=login.client_id("jenkins"),
            scopes=login.scopes,
            groups_claim=GROUPS_CLAIM,
            admin_group=login.admin_group,
            user_group=login.user_group,
        )
        if login
        else None,
        gitlab_url=gitlab.url if gitlab else None,
    )
