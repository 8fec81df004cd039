"""From the configuration of AIPP to its components, whoever delivers them."""

from collections.abc import Mapping

import pulumi
from pulumi import Input, Output, ResourceOptions

from infra.aipp.agent import served_by_agent
from infra.aipp.backend import Backend, BackendArgs
from infra.aipp.data_processor import DataProcessor, DataProcessorArgs
from infra.aipp.entrance import Entrance, EntranceArgs
from infra.aipp.front import Front, FrontArgs
from infra.aipp.linker import Linker, LinkerArgs
from infra.aipp.names import (
    BACKEND,
    CERTIFICATE,
    DATA_PROCESSOR,
    FRONT,
    LINKER,
    PGVECTOR,
    RABBITMQ,
    RABBITMQ_CERTIFICATE,
    REDIS,
    SCHEDULER,
)
from infra.aipp.place import Place
from infra.aipp.plan import is_argocds
from infra.aipp.project import project, project_args
from infra.aipp.scheduler import Scheduler, SchedulerArgs
from infra.aipp.secret_files import files_of, secret_name
from infra.aipp.stores import Auth, Stores, StoresArgs
from infra.aipp.tree import APPLICATION, application_args
from infra.config.aipp import AippConfig
from infra.data.rabbitmq import MANAGEMENT_PORT
from infra.delivery.application import Application
from infra.delivery.project import Project
from infra.delivery.room import Delivery
from infra.network.address import cluster_issuer, public_url
from infra.observability.names import otlp_endpoint
from infra.registry.access import Registry
from infra.registry.room import pull_secret, vendor_pull_secret
from infra.secrets.files import declare_secret
from infra.site import Site
from infra.workload import content_hash


def declare(site: Site, registry: Registry, delivery: Delivery) -> str | None:
    """Declare the services, or hand them to Argo CD; return their address, None where the stack has none.

    What is secret never stands in Git, so a Secret of ours is Pulumi's in both cases, and the namespace with it; an
    ExternalSecret goes with the workload.
    """
    config = site.stack.aipp
    if not config:
        return None
    if not config.linker.gpu_count:
        pulumi.log.warn(
            "aihub:aipp.linker.gpuCount is 0: enai-linker is left out, and nothing links texts. The other seven are "
            "deployed. Set it to 1 once a node offers nvidia.com/gpu."
        )
    pull = _pull(site, config, registry)
    if config.delivery == "argocd":
        if not site.stack.secrets.vault:
            for service, files in files_of(config).items():
                _secret(site, config, service, files)
        _hand_over(site, delivery)
    else:
        _workload(site, config, pull)
    return public_url(site.stack, config.host)


def _pull(site: Site, config: AippConfig, registry: Registry) -> Input[str] | None:
    """Declare the Secret to pull with, unless it stands in Git; return its name, None where none is needed."""
    if is_argocds(site.stack):
        return None
    if config.pull_secret:
        made = vendor_pull_secret(site, config.pull_secret, "aipp")
        return made.secret if made else config.pull_secret
    made = pull_secret(site, registry, "aipp", vault=site.stack.secrets.vault if site.stack.registry.harbor else None)
    return made.secret if made else None


def _hand_over(site: Site, delivery: Delivery) -> None:
    stack_name = pulumi.get_stack()
    after = ResourceOptions.merge(site.options, ResourceOptions(depends_on=list(delivery.ready)))
    limits = Project(project(stack_name), project_args(site.stack), opts=after)
    Application(
        APPLICATION,
        application_args(site.stack, stack_name),
        opts=ResourceOptions.merge(after, ResourceOptions(depends_on=[limits])),
    )


def _secret(site: Site, config: AippConfig, service: str, files: Mapping[str, str]) -> Auth:
    """Declare the Secret of a service; where Vault's agent writes its files, there is none to declare."""
    name = secret_name(service)
    if config.secrets_by == "agent":
        return Auth(secret=name, version=content_hash(files))
    component, paths = name.removeprefix("aipp-"), config.vault_paths()
    made = declare_secret(site, "aipp", name, "aipp", files, component=component, paths=paths)
    return Auth(secret=made.secret, version=made.version)


def _workload(site: Site, config: AippConfig, pull: Input[str] | None) -> None:
    """Declare what runs, in the order in which it can: stores, backend, the others, the front end, the way in."""
    namespace, storage_class = site.namespaces["aipp"], site.stack.storage.storage_class
    secrets = {service: _secret(site, config, service, files) for service, files in files_of(config).items()}
    options = served_by_agent(site.stack, site.options)
    stores = Stores(
        "aipp-stores",
        StoresArgs(
            namespace=namespace,
            config=config,
            storage_class=storage_class,
            database_auth=secrets[PGVECTOR],
            redis_auth=secrets[REDIS],
            queue_definitions=secrets[RABBITMQ],
            pull_secret=pull,
        ),
        opts=options,
    )
    hosts = {PGVECTOR: stores.pgvector_host, REDIS: stores.redis_host, RABBITMQ: stores.rabbitmq_host}

    def place(service: str, backend_url: Output[str] | None = None) -> Place:
        own = secrets.get(service)
        return Place(
            package=config,
            namespace=namespace,
            hosts=hosts,
            storage_class=storage_class,
            python_image=site.stack.registry.base_image,
            move_after_seconds=config.move_after_seconds,
            otlp_endpoint=otlp_endpoint(site.stack),
            backend_url=backend_url,
            secret=own.secret if own else None,
            secret_version=own.version if own else None,
            pull_secret=pull,
        )

    backend = Backend(BACKEND, BackendArgs(place=place(BACKEND), config=config.backend), opts=options)
    url = backend.url
    DataProcessor(
        DATA_PROCESSOR,
        DataProcessorArgs(place=place(DATA_PROCESSOR, url), config=config.data_processor),
        opts=options,
    )
    Scheduler(
        SCHEDULER,
        SchedulerArgs(place=place(SCHEDULER, url), config=config.scheduler),
        opts=options,
    )
    if config.linker.gpu_count:
        runtime_class = config.linker.runtime_class or site.stack.gpu.runtime_for(config.linker.gpu_count)
        Linker(
            LINKER,
            LinkerArgs(place=place(LINKER, url), config=config.linker, runtime_class=runtime_class),
            opts=options,
        )
    Front(FRONT, FrontArgs(place=place(FRONT, url), config=config.front), opts=options)
    _ways_in(site, config)


def _ways_in(site: Site, config: AippConfig) -> None:
    stack, namespace = site.stack, site.namespaces["aipp"]
    routes: dict[str, tuple[str, int]] = {
        "/": (FRONT, config.front.port),
        config.api_path: (BACKEND, config.backend.port),
    }
    hosts = {"aipp": (config.host, CERTIFICATE, routes)}
    if config.rabbitmq.host:
        hosts[RABBITMQ] = (config.rabbitmq.host, RABBITMQ_CERTIFICATE, {"/": (RABBITMQ, MANAGEMENT_PORT)})
    for name, (host, certificate, paths) in hosts.items():
        Entrance(
            name,
            EntranceArgs(
                namespace=namespace,
                host=host,
                routes=paths,
                ingress_class=stack.network.ingress_class,
                certificate=certificate,
                cluster_issuer=cluster_issuer(stack),
            ),
            opts=site.options,
        )
