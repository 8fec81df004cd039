"""From the configuration of AIPP to its components, whoever delivers them."""

from collections.abc import Mapping

import pulumi
from pulumi import Input, Output, ResourceOptions

from infra.aipp.backend import Backend, BackendArgs
from infra.aipp.data_processor import DataProcessor, DataProcessorArgs
from infra.aipp.entrance import Entrance, EntranceArgs
from infra.aipp.front import Front, FrontArgs
from infra.aipp.linker import Linker, LinkerArgs
from infra.aipp.names import (
    BACKEND,
    CERTIFICATE,
    DATA_PROCESSOR,
    FIELDS,
    FRONT,
    LINKER,
    PGVECTOR,
    RABBITMQ,
    RABBITMQ_CERTIFICATE,
    REDIS,
    SCHEDULER,
)
from infra.aipp.place import Place
from infra.aipp.plan import services
from infra.aipp.scheduler import Scheduler, SchedulerArgs
from infra.aipp.secret_files import SECRET_OF, secret_files
from infra.aipp.stores import Auth, Stores, StoresArgs
from infra.aipp.tree import APPLICATION, application_args
from infra.cluster import labels
from infra.config.aipp import AippConfig
from infra.data.pgvector import AUTH_FILE
from infra.data.rabbitmq import MANAGEMENT_PORT, definitions_files
from infra.data.redis import auth_files
from infra.delivery.application import Application
from infra.delivery.room import Delivery
from infra.network.address import cluster_issuer, public_url
from infra.registry.access import Registry
from infra.registry.room import pull_secret
from infra.secrets.files import SecretFiles, SecretFilesArgs
from infra.site import Site


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
    pull = pull_secret(site, registry, "aipp") if config.pull_secret is None else None
    if config.delivery == "argocd":
        if not site.stack.secrets.vault:
            for name, files in _secrets(config).items():
                _secret(site, config, name, files)
        _hand_over(site, delivery)
    else:
        _workload(site, config, config.pull_secret or (pull.secret if pull else None))
    return public_url(site.stack, config.host)


def _hand_over(site: Site, delivery: Delivery) -> None:
    Application(
        APPLICATION,
        application_args(site.stack, pulumi.get_stack()),
        opts=ResourceOptions.merge(site.options, ResourceOptions(depends_on=list(delivery.ready))),
    )


def _secrets(config: AippConfig) -> dict[str, Mapping[str, str]]:
    """Return Secret -> its files, for the stores and the services that have any."""
    stores = {
        f"{PGVECTOR}-auth": {AUTH_FILE: f"${{{SECRET_OF[PGVECTOR]}}}"},
        f"{REDIS}-auth": auth_files(SECRET_OF[REDIS]),
        f"{RABBITMQ}-definitions": definitions_files(config.rabbitmq.user, SECRET_OF[RABBITMQ]),
    }
    vendors = {
        f"{service}-secrets": files
        for service in services(config)
        if service in FIELDS and (files := secret_files(config, service))
    }
    return {**stores, **vendors}


def _secret(site: Site, config: AippConfig, name: str, files: Mapping[str, str]) -> Auth:
    vault = site.stack.secrets.vault
    made = SecretFiles(
        name if name.startswith("enai-") else f"aipp-{name}",
        SecretFilesArgs(
            namespace=site.namespaces["aipp"],
            labels=labels("aipp", name),
            files=files,
            values=site.secrets.values,
            vault=vault.model_copy(update={"path": config.vault_path}) if vault else None,
        ),
        opts=site.options,
    )
    return Auth(secret=made.secret, version=made.version)


def _workload(site: Site, config: AippConfig, pull: Input[str] | None) -> None:
    """Declare what runs, in the order in which it can: stores, backend, the others, the front end, the way in."""
    namespace, storage_class = site.namespaces["aipp"], site.stack.storage.storage_class
    secrets = {name: _secret(site, config, name, files) for name, files in _secrets(config).items()}
    stores = Stores(
        "aipp-stores",
        StoresArgs(
            namespace=namespace,
            config=config,
            storage_class=storage_class,
            database_auth=secrets[f"{PGVECTOR}-auth"],
            redis_auth=secrets[f"{REDIS}-auth"],
            queue_definitions=secrets[f"{RABBITMQ}-definitions"],
            pull_secret=pull,
        ),
        opts=site.options,
    )
    hosts = {PGVECTOR: stores.pgvector_host, REDIS: stores.redis_host, RABBITMQ: stores.rabbitmq_host}

    def place(service: str, backend_url: Output[str] | None = None) -> Place:
        own = secrets.get(f"{service}-secrets")
        return Place(
            package=config,
            namespace=namespace,
            hosts=hosts,
            storage_class=storage_class,
            python_image=site.stack.registry.base_image,
            move_after_seconds=config.move_after_seconds,
            backend_url=backend_url,
            secret=own.secret if own else None,
            secret_version=own.version if own else None,
            pull_secret=pull,
        )

    backend = Backend(BACKEND, BackendArgs(place=place(BACKEND), config=config.backend), opts=site.options)
    url = backend.url
    DataProcessor(
        DATA_PROCESSOR,
        DataProcessorArgs(place=place(DATA_PROCESSOR, url), config=config.data_processor),
        opts=site.options,
    )
    Scheduler(
        SCHEDULER,
        SchedulerArgs(place=place(SCHEDULER, url), config=config.scheduler),
        opts=site.options,
    )
    if config.linker.gpu_count:
        runtime_class = config.linker.runtime_class or site.stack.gpu.runtime_for(config.linker.gpu_count)
        Linker(
            LINKER,
            LinkerArgs(place=place(LINKER, url), config=config.linker, runtime_class=runtime_class),
            opts=site.options,
        )
    Front(FRONT, FrontArgs(place=place(FRONT, url), config=config.front), opts=site.options)
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
