"""From the configuration of delivery to its components: the controllers, and what they deliver."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Resource, ResourceOptions

from infra.chat.names import ENGINE
from infra.ci.webhook import argocd_webhook
from infra.delivery import argocd, image_updater
from infra.delivery.application import Application
from infra.delivery.applications import ROLLED_OUT, UPDATES, application_args, applications, overlay
from infra.delivery.argocd import ArgoCd, ArgoCdArgs
from infra.delivery.image_updater import ImageUpdater, ImageUpdaterArgs, registry_entry
from infra.delivery.plan import ROLLBACK, ROLLOUTS, SPACE
from infra.delivery.project import Project
from infra.delivery.projects import projects
from infra.delivery.rollback_job import Rollback, RollbackArgs, credentials_files
from infra.delivery.rollouts_controller import RolloutsController, RolloutsControllerArgs
from infra.network.address import cluster_issuer, public_url
from infra.network.authorities import version_of
from infra.network.login import Login, login_of
from infra.registry.access import Registry, pull_secret_name
from infra.registry.build import build_secrets
from infra.registry.image import BuiltImage, BuiltImageArgs
from infra.registry.room import pull_secret
from infra.secrets.files import SecretFiles, declare_secret
from infra.site import Site
from infra.versions import GIT

GIT_SECRET = "rollback-git"  # noqa: S105 - the Secret's name
REFUSED_FILE = "refused.yaml"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What must run before anything is handed to Argo CD."""

    ready: tuple[Resource, ...]
    """In no order; empty where the cluster has it all."""


def declare(site: Site, registry: Registry) -> Delivery:
    """Declare the controllers that the stack asks for, and the rollback; return what is ready then."""
    config = site.stack.delivery
    ready: list[Resource] = []
    if config.argocd:
        ready.append(_argocd(site))
    if config.image_updater:
        ready.append(_image_updater(site, registry, tuple(ready)))
    if config.rollouts:
        args = RolloutsControllerArgs(namespace=site.namespaces[ROLLOUTS], memory_mib=config.rollouts.memory_mib)
        ready.append(RolloutsController("argo-rollouts", args, opts=site.options))
    if config.rollback:
        _rollback(site, registry)
    return Delivery(ready=tuple(ready))


def hand_over(site: Site, delivery: Delivery, images: Sequence[Resource]) -> None:
    """Declare what Git may deploy, then the Applications: Argo CD owns the workload from here on.

    They come after the controllers, whose kinds they need, and after the images, so that the first rollout finds them.
    What Image Updater looks for comes last: it must not look for a newer image while there is none.
    """
    stack_name, names = pulumi.get_stack(), applications(site.stack)
    after_controllers = ResourceOptions.merge(site.options, ResourceOptions(depends_on=list(delivery.ready)))
    limits = [
        Project(name, args, opts=after_controllers) for name, args in projects(site.stack, stack_name, names).items()
    ]
    before: list[Resource] = [*delivery.ready, *limits, *images]
    for name in names:
        after = ResourceOptions(depends_on=list(before))
        application = Application(
            name,
            application_args(site.stack, name, stack_name),
            opts=ResourceOptions.merge(site.options, after),
        )
        before += [application] if name != UPDATES else []


def _argocd(site: Site) -> ArgoCd:
    stack, config = site.stack, site.stack.delivery.argocd
    if not config:
        raise ValueError("aihub:delivery.argocd is not set")
    login = _login(site)
    secrets: list[Resource] = [
        declare_secret(
            site,
            "delivery",
            argocd.SETTINGS_SECRET,
            SPACE,
            argocd.settings_files(login, argocd_webhook(stack)),
            more_labels=argocd.PART_OF,
        ),
        declare_secret(site, "delivery", argocd.CACHE_SECRET, SPACE, argocd.CACHE_FILES),
    ]
    if stack.delivery.username:
        secrets.append(_repository(site))
    return ArgoCd(
        "argocd",
        ArgoCdArgs(
            namespace=site.namespaces[SPACE],
            config=config,
            url=public_url(stack, config.host) if config.host else None,
            ingress_class=stack.network.ingress_class,
            cluster_issuer=cluster_issuer(stack),
            login=login,
            secrets=tuple(secrets),
            authorities=version_of(stack),
        ),
        opts=site.options,
    )


def _login(site: Site) -> Login | None:
    login = login_of(site.stack)
    return login if login and "argocd" in login.clients else None


def _repository(site: Site) -> SecretFiles:
    """Declare the Secret that makes the repository known to Argo CD, and to Image Updater through it."""
    config = site.stack.delivery
    files = argocd.repository_files(config.repository or "", config.username or "")
    kind = {"argocd.argoproj.io/secret-type": "repository"}
    return declare_secret(site, "delivery", argocd.REPOSITORY_SECRET, SPACE, files, more_labels=kind)


def _image_updater(site: Site, registry: Registry, after: tuple[Resource, ...]) -> ImageUpdater:
    config = site.stack.delivery.image_updater
    if not config:
        raise ValueError("aihub:delivery.imageUpdater is not set")
    pull = pull_secret(site, registry, SPACE)
    return ImageUpdater(
        "argocd-image-updater",
        ImageUpdaterArgs(
            namespace=site.namespaces[SPACE],
            config=config,
            registry=registry_entry(site.stack, pull_secret_name(SPACE) if pull else None),
            depends_on=(*after, *((pull,) if pull else ())),
            authorities=version_of(site.stack),
        ),
        opts=site.options,
    )


def _rollback(site: Site, registry: Registry) -> None:
    stack, config = site.stack, site.stack.delivery
    if not (config.rollback and config.repository and config.username):
        raise ValueError("aihub:delivery.rollback needs delivery.repository and delivery.username")
    image = BuiltImage(
        ROLLBACK,
        BuiltImageArgs(registry=registry, context=f"images/{ROLLBACK}", tag=GIT, secrets=build_secrets()),
    )
    credentials = declare_secret(
        site, "delivery", GIT_SECRET, "chat", credentials_files(config.username), component=ROLLBACK
    )
    has_updater = config.image_updater is not None
    Rollback(
        ROLLBACK,
        RollbackArgs(
            namespace=site.namespaces["chat"],
            image=image.reference,
            rollout=ROLLED_OUT,
            deployment=ENGINE,
            rollout_namespace=stack.chat.namespace,
            repository=config.repository,
            branch=config.branch,
            overlay=f"{overlay(stack, 'backend-chat', pulumi.get_stack())}/kustomization.yaml",
            credentials=credentials.secret,
            memory_mib=config.rollback.memory_mib,
            refused=f"{overlay(stack, UPDATES, pulumi.get_stack())}/{REFUSED_FILE}" if has_updater else None,
            updater=image_updater.NAME if has_updater else None,
            updater_namespace=config.namespace,
            pull_secret=pull_secret_name("chat") if registry.username else None,
            trusts_authorities=stack.network.authorities is not None,
        ),
        opts=site.options,
    )
