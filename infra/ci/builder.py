"""From a stack's configuration to its builder. Declares nothing."""

from infra.ci.build_pod import COMPONENT, Builder
from infra.ci.builds import CACHE_CLAIM
from infra.config import StackConfig
from infra.registry.access import pull_secret_name

BUILD_SECRETS = "build-secrets"
"""Secret that a person may make in the builders' namespace: ``pip.conf``, ``apt.sources`` and more (docs/ci.md)."""


def speaks_plain_http(stack: StackConfig) -> bool:
    """Say whether our registry is reached without TLS: its own server without a certificate."""
    return bool(stack.registry.server and not stack.registry.server.tls)


def builder_of(stack: StackConfig) -> Builder | None:
    """Return how a stack's images are built; None where only `pulumi up` builds."""
    config = stack.ci.builder
    if not config:
        return None
    return Builder(
        kind=config.kind,
        image=config.image,
        namespace=config.namespace,
        service_account=COMPONENT,
        registry_host=stack.registry.host,
        registry_plain_http=speaks_plain_http(stack),
        base_image=stack.registry.base_image,
        cpu_millicores=config.cpu_millicores,
        memory_mib=config.memory_mib,
        deadline_seconds=config.deadline_minutes * 60,
        workspace_gib=config.workspace_gib,
        cache_claim=CACHE_CLAIM if config.cache_gib else None,
        cache_gib=config.cache_gib or 0,
        registry_login=pull_secret_name("builds") if stack.registry.asks_for_a_login else None,
        build_secrets=BUILD_SECRETS,
        host_aliases=_registry_alias(stack),
        trusts_authorities=stack.network.authorities is not None,
    )


def _registry_alias(stack: StackConfig) -> dict[str, str]:
    """Return name and address of a registry of our own, where its Service has a fixed one.

    Its name is one that nodes know, from /etc/hosts; a cluster's DNS knows neither that file nor the name.
    """
    server = stack.registry.server
    return {stack.registry.hostname: server.cluster_ip} if server and server.cluster_ip else {}
