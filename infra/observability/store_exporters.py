"""What speaks for stores that know nothing of Prometheus: Redis and PostgreSQL.

Each is a pod of its own instead of a second container beside its store: a new exporter restarts no store. It runs in
the store's namespace, so that the password is in no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict

from infra.cluster import labels, selector
from infra.folders import Folder
from infra.observability.names import POSTGRES_EXPORTER_PORT, REDIS_EXPORTER_PORT
from infra.workload import SECRETS_VERSION, http_probe, pod_spec, resources, service_account

REDIS_FOLDER = "/etc/redis-exporter"
PASSWORDS_FILE = "passwords.json"
POSTGRES_FOLDER = "/etc/postgres-exporter"
PASSWORD_FILE = "password"  # noqa: S105 - the name of a file


def redis_passwords(host: str, port: int, key: str) -> dict[str, str]:
    """Return the files of the Secret: the exporter looks its server's address up in one."""
    return {PASSWORDS_FILE: f'{{"redis://{host}:{port}": "${{{key}}}"}}'}


def postgres_password(key: str) -> dict[str, str]:
    """Return the files of the Secret."""
    return {PASSWORD_FILE: f"${{{key}}}"}


@dataclass(frozen=True, kw_only=True)
class RedisExporterArgs:
    """What a :class:`RedisExporter` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child: the store's own."""
    image: str
    """Image of `redis_exporter`."""
    host: str
    """Host of Redis, as in :func:`redis_passwords`."""
    port: int
    """Its port."""
    passwords: Input[str]
    """Name of the Secret with :func:`redis_passwords`."""
    passwords_version: Input[str]
    """Changes with the password."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class RedisExporter(ComponentResource):
    """Memory, commands and connections of one Redis."""

    deployment: Output[str]
    """Name of the Deployment."""

    def __init__(self, name: str, args: RedisExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:observability:RedisExporter", name, {}, opts)
        container = _container(
            "redis-exporter",
            args.image,
            variables={
                "REDIS_ADDR": f"redis://{args.host}:{args.port}",
                "REDIS_PASSWORD_FILE": f"{REDIS_FOLDER}/{PASSWORDS_FILE}",
            },
            port=REDIS_EXPORTER_PORT,
            health="/health",
            memory_mib=32,
        )
        self.deployment = _deployment(
            name,
            namespace=args.namespace,
            container=container,
            passwords=Folder.of_secret("passwords", REDIS_FOLDER, args.passwords),
            passwords_version=args.passwords_version,
            pull_secret=args.pull_secret,
            parent=self,
        )
        self.register_outputs({"deployment": self.deployment})


@dataclass(frozen=True, kw_only=True)
class PostgresExporterArgs:
    """What a :class:`PostgresExporter` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child: the store's own."""
    image: str
    """Image of `postgres_exporter` 0.17 or later: the first that tells the names of sessions."""
    host: str
    """Host of PostgreSQL."""
    port: int
    """Its port."""
    database: str
    """Database that it connects to; it tells of all."""
    session: str
    """Name of its sessions there."""
    user: str
    """Account, with the right to see everybody's sessions."""
    password: Input[str]
    """Name of the Secret with :func:`postgres_password`."""
    password_version: Input[str]
    """Changes with the password."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class PostgresExporter(ComponentResource):
    """Sessions and size of one PostgreSQL."""

    deployment: Output[str]
    """Name of the Deployment."""

    def __init__(self, name: str, args: PostgresExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:observability:PostgresExporter", name, {}, opts)
        options = f"sslmode=disable&application_name={args.session}"
        container = _container(
            "postgres-exporter",
            args.image,
            variables={
                "DATA_SOURCE_URI": f"{args.host}:{args.port}/{args.database}?{options}",
                "DATA_SOURCE_USER": args.user,
                "DATA_SOURCE_PASS_FILE": f"{POSTGRES_FOLDER}/{PASSWORD_FILE}",
                # Longer than a scrape waits, it would only pile sessions up.
                "PG_EXPORTER_COLLECTION_TIMEOUT": "10s",
            },
            port=POSTGRES_EXPORTER_PORT,
            # Its page of links: nothing else answers without asking the database, which may be away.
            health="/",
            memory_mib=64,
        )
        self.deployment = _deployment(
            name,
            namespace=args.namespace,
            container=container,
            passwords=Folder.of_secret("passwords", POSTGRES_FOLDER, args.password),
            passwords_version=args.password_version,
            pull_secret=args.pull_secret,
            parent=self,
        )
        self.register_outputs({"deployment": self.deployment})


def _container(
    name: str, image: str, *, variables: Mapping[str, str], port: int, health: str, memory_mib: int
) -> ContainerArgsDict:
    return {
        "name": name,
        "image": image,
        "env": [{"name": variable, "value": value} for variable, value in variables.items()],
        "ports": [{"name": "metrics", "container_port": port}],
        "startup_probe": http_probe(health, "metrics", period_seconds=2, failures=30),
        "liveness_probe": http_probe(health, "metrics", period_seconds=20, failures=3),
        "readiness_probe": http_probe(health, "metrics", period_seconds=10, failures=3),
        "resources": resources(cpu_millicores=100, memory_mib=memory_mib),
    }


def _deployment(
    name: str,
    *,
    namespace: Input[str],
    container: ContainerArgsDict,
    passwords: Folder,
    passwords_version: Input[str],
    pull_secret: Input[str] | None,
    parent: ComponentResource,
) -> Output[str]:
    its_labels = labels("observability", name)
    account = service_account(name, namespace, its_labels, pull_secret, parent)
    deployment = k8s.apps.v1.Deployment(
        f"{name}-deployment",
        metadata={"name": name, "namespace": namespace, "labels": its_labels},
        spec={
            "replicas": 1,
            "selector": {"match_labels": selector(name)},
            "template": {
                "metadata": {"labels": its_labels, "annotations": {SECRETS_VERSION: passwords_version}},
                "spec": pod_spec(service_account=account, containers=[container], folders=[passwords]),
            },
        },
        opts=ResourceOptions(parent=parent),
    )
    return deployment.metadata["name"]
