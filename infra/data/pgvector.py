"""PostgreSQL with the extension `vector`."""

from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict

from infra.cluster import labels
from infra.folders import Folder
from infra.store import StoreArgs, declare_store
from infra.workload import SECRETS_VERSION, Settings, SettingsArgs, command_probe, resources

PORT = 5432
AUTH_FILE = "password"
AUTH_FOLDER = "/etc/pgvector-auth"
INIT_FOLDER = "/etc/pgvector-init"
DATA_FOLDER = "/var/lib/postgresql/data"
SETTLE_SECONDS = 600
"""How long a server may take until it answers: replaying its log after a crash, or making its first files."""

INIT_SQL = "CREATE EXTENSION IF NOT EXISTS vector;\n"
"""Run by the image on an empty volume, and by :data:`SETTLE` at every start: a volume may be older than it."""

# The image takes the password once, for an empty volume. `\\set` with backquotes: no process list shows it.
SETTLE_SQL = f"""\\set word `cat {AUTH_FOLDER}/{AUTH_FILE}`
SELECT format('ALTER ROLE CURRENT_USER PASSWORD %L', :'word') \\gexec
"""
SETTLE = f"""export PGAPPNAME=aipp-settle PGHOST=/var/run/postgresql
attempts=0
until psql -qX -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -f "$SETTLE_FOLDER/init.sql" \\
    -f "$SETTLE_FOLDER/settle.sql" >/tmp/settle.log 2>&1; do
    attempts=$((attempts + 1))
    [ $attempts -ge {SETTLE_SECONDS} ] && cat /tmp/settle.log && exit 1
    sleep 1
done
"""
"""After every start: extension and password are as declared. The local socket asks for no password (pg_hba.conf)."""

HAS_EXTENSION = (
    "export PGAPPNAME=aipp-probe PGHOST=/var/run/postgresql; "
    'answer=$(psql -qtAX -U "$POSTGRES_USER" -d "$POSTGRES_DB" '
    "-c \"SELECT count(*) FROM pg_extension WHERE extname = 'vector'\") || exit 1; "
    '[ "$answer" = 1 ] || { echo "the extension vector is missing"; exit 1; }'
)


@dataclass(frozen=True, kw_only=True)
class PgvectorArgs(StoreArgs):
    """What a :class:`Pgvector` needs from its caller; its image is the extension's own, with PostgreSQL 15 or later."""

    database: str
    """Database that is made."""
    user: str
    """Account that owns it."""
    auth: Input[str]
    """Name of the Secret whose file ``password`` is the account's."""
    auth_version: Input[str]
    """Changes with the password, so that the server is restarted with it."""
    cpu_millicores: int
    """CPU limit."""


class Pgvector(ComponentResource):
    """One PostgreSQL server on one volume; it is ready when its database has the extension."""

    host: Output[str]
    """DNS name inside the cluster."""

    def __init__(self, name: str, args: PgvectorArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:data:Pgvector", name, {}, opts)
        init = Settings(
            f"{name}-init",
            SettingsArgs(
                namespace=args.namespace,
                labels=labels("data", name),
                data={"init.sql": INIT_SQL, "settle.sql": SETTLE_SQL},
            ),
            opts=ResourceOptions(parent=self),
        )
        self.host = declare_store(
            self,
            name,
            args,
            room="data",
            container=_container(args),
            ports={"postgres": PORT},
            data_folder=DATA_FOLDER,
            folders=_folders(args, init.config_map),
            annotations={SECRETS_VERSION: args.auth_version},
            termination_grace_seconds=120,
        ).host
        self.register_outputs({"host": self.host})


def server_options(memory_mib: int) -> list[str]:
    """Return the server's options: sized by its memory; a client whose node died is forgotten within a minute."""
    settings = {
        "listen_addresses": "*",
        "shared_buffers": f"{memory_mib // 4}MB",
        "effective_cache_size": f"{memory_mib // 2}MB",
        "maintenance_work_mem": f"{max(64, memory_mib // 16)}MB",
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
        # Else a session in the middle of a long statement does not notice that its client died: a lock of a killed
        # migration would look alive until the statement ends.
        "client_connection_check_interval": "10s",
        "password_encryption": "scram-sha-256",
    }
    return [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]


def _folders(args: PgvectorArgs, init: Input[str]) -> list[Folder]:
    return [
        Folder.of_config("init", INIT_FOLDER, init, copies={"init.sql": "/docker-entrypoint-initdb.d/init.sql"}),
        Folder.of_secret("auth", AUTH_FOLDER, args.auth),
        Folder.empty("socket", "/var/run/postgresql"),
        # Parallel queries, and building an index of vectors by several processes, pass data through it.
        Folder.shared_memory(args.memory_mib // 8),
    ]


def _container(args: PgvectorArgs) -> ContainerArgsDict:
    return {
        "name": "pgvector",
        "image": args.image,
        "args": ["postgres", *server_options(args.memory_mib)],
        "env": [
            {"name": "POSTGRES_DB", "value": args.database},
            {"name": "POSTGRES_USER", "value": args.user},
            # Pods' user has no name in the image, and a client without any name, pg_isready too, never asks.
            {"name": "PGUSER", "value": args.user},
            {"name": "POSTGRES_PASSWORD_FILE", "value": f"{AUTH_FOLDER}/{AUTH_FILE}"},
            # Below the volume's root, which is not the server's own and may hold lost+found.
            {"name": "PGDATA", "value": f"{DATA_FOLDER}/pgdata"},
            {"name": "SETTLE_FOLDER", "value": INIT_FOLDER},
        ],
        "ports": [{"name": "postgres", "container_port": PORT}],
        "lifecycle": {"post_start": {"exec_": {"command": ["sh", "-c", SETTLE]}}},
        # Over TCP: while the image makes a new database, a first server answers at the socket only.
        "startup_probe": command_probe(["pg_isready", "-h", "127.0.0.1"], period_seconds=5, failures=120),
        "liveness_probe": {"tcp_socket": {"port": "postgres"}, "period_seconds": 20, "failure_threshold": 3},
        "readiness_probe": command_probe(["sh", "-c", HAS_EXTENSION], period_seconds=10, failures=3),
        "resources": resources(cpu_millicores=args.cpu_millicores, memory_mib=args.memory_mib),
    }
