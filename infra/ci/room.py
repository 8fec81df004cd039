"""From the configuration of the Git server, the builder, Jenkins and a look from outside to their components.

The order matters: first Jenkins with its jobs and their triggers, then the webhook that calls them, so that the first
push finds somebody.
"""

from infra.ci.agents import DRIFT
from infra.ci.build_pod import COMPONENT as BUILD
from infra.ci.builder import builder_of
from infra.ci.builds import Builds, BuildsArgs
from infra.ci.drift import DriftReader, DriftReaderArgs
from infra.ci.gitea_room import declare_server, set_up
from infra.ci.jenkins_room import declare_jenkins
from infra.config.ci import BuilderConfig
from infra.registry.access import Registry
from infra.registry.room import pull_secret, push_secret
from infra.site import Site


def declare(site: Site, registry: Registry) -> None:
    """Declare what the stack configures of this room."""
    ci = site.stack.ci
    if ci.drift:
        DriftReader(DRIFT, DriftReaderArgs(namespace=site.namespaces[DRIFT]), opts=site.options)
    builder = builder_of(site.stack)
    if ci.builder:
        _builds(site, registry, ci.builder)
    server, gitlab = (ci.git.server, ci.git.gitlab) if ci.git else (None, None)
    pull = pull_secret(site, registry, "git") if server else None
    gitea = declare_server(site, server, pull) if server else None
    jenkins = declare_jenkins(site, ci.jenkins, builder, gitlab) if ci.jenkins and builder else None
    if gitea:
        set_up(site, gitea, pull, [jenkins] if jenkins else [])


def _builds(site: Site, registry: Registry, config: BuilderConfig) -> None:
    pull = push_secret(site, registry, "builds")
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
