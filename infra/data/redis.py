"""Redis: the chat's history."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict

from infra.folders import Folder
from infra.store import StoreArgs, declare_store
from infra.workload import SECRETS_VERSION, command_probe, resources

PORT = 6379
AUTH_FOLDER, CONFIG_FOLDER, DATA_FOLDER = "/etc/redis-auth", "/etc/redis-config", "/data"


def auth_files(secret_key: str) -> Mapping[str, str]:
    """Return the files of a server's Secret: the password for the probe, and the configuration that sets it."""
    word = f"${{{secret_key}}}"
    return {"password": word, "auth.conf": f'requirepass "{word}"\n'}


AUTH_FILES = auth_files("redisPassword")
"""Files of the Secret of the chat's Redis."""

# An exit status of its own for errors (`-e`): a server that still loads its file answers, but is not ready.
_PING = f'REDISCLI_AUTH="$(cat {AUTH_FOLDER}/password)" exec redis-cli -e ping'


@dataclass(frozen=True, kw_only=True)
class RedisArgs(StoreArgs):
    """What a :class:`Redis` needs from its caller; its image has ``redis-server`` and ``redis-cli`` 7 on its path."""

    auth: Input[str]
    """Name of the Secret with :data:`AUTH_FILES`."""
    auth_version: Input[str]
    """Changes with the password, so that the server is restarted with it."""


class Redis(ComponentResource):
    """One Redis server on one volume: a claim, a configuration, a StatefulSet, a Service."""

    host: Output[str]
    """DNS name inside the cluster."""

    def __init__(self, name: str, args: RedisArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:data:Redis", name, {}, opts)
        self.host = declare_store(
            self,
            name,
            args,
            room="data",
            container=_container(args),
            ports={"redis": PORT},
            data_folder=DATA_FOLDER,
            config_folder=CONFIG_FOLDER,
            config={"redis.conf": configuration(args.memory_mib)},
            folders=[Folder.of_secret("auth", AUTH_FOLDER, args.auth)],
            annotations={SECRETS_VERSION: args.auth_version},
        ).host
        self.register_outputs({"host": self.host})


def configuration(memory_mib: int) -> str:
    """Return ``redis.conf``: nothing acknowledged is lost but the last second, nothing is evicted.

    A quarter of the memory stays free for the copy that rewriting the append-only file makes.
    """
    return "\n".join(
        [
            "bind * -::*",
            f"port {PORT}",
            f"dir {DATA_FOLDER}",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            f"maxmemory {memory_mib * 3 // 4}mb",
            "maxmemory-policy noeviction",
            f"include {AUTH_FOLDER}/auth.conf",
            "",
        ]
    )


def _container(args: RedisArgs) -> ContainerArgsDict:
    ping = ["sh", "-c", _PING]
    return {
        "name": "redis",
        "image": args.image,
        "command": ["redis-server", f"{CONFIG_FOLDER}/redis.conf"],
        "ports": [{"name": "redis", "container_port": PORT}],
        # Loading a large append-only file takes minutes; liveness only asks whether the server listens.
        "startup_probe": command_probe(ping, period_seconds=2, failures=300),
        "liveness_probe": {"tcp_socket": {"port": "redis"}, "period_seconds": 20, "failure_threshold": 3},
        "readiness_probe": command_probe(ping, period_seconds=10, failures=3),
        "resources": resources(cpu_millicores=500, memory_mib=args.memory_mib),
    }
