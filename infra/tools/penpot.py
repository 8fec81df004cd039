"""Penpot: drawings of architecture, in the browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.chart import release
from infra.config.tools import PenpotConfig
from infra.versions import PENPOT
from infra.workload import SECRETS_VERSION, resources

SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": 1001,
    "allowPrivilegeEscalation": False,
    # The chart says `all`, which Pod Security does not take for ALL.
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
MEMORY_MIB = {"backend": 1024, "frontend": 128, "exporter": 512}
"""Part -> its memory, reserved whole; the backend is a JVM, the exporter a browser."""


def secret_files(config: PenpotConfig) -> Mapping[str, str]:
    """Return the files of Penpot's Secret."""
    redis = config.redis
    return {
        "secret-key": "${penpotSecretKey}",
        "database-password": "${penpotDatabasePassword}",
        "redis-uri": f"redis://:${{penpotRedisPassword}}@{redis.host}:{redis.port}/{redis.database}",
    }


@dataclass(frozen=True, kw_only=True)
class PenpotArgs:
    """What a :class:`Penpot` needs from its caller."""

    namespace: Input[str]
    """Its namespace."""
    config: PenpotConfig
    """Where its stores are, and who may have an account."""
    secret: Input[str]
    """Name of the Secret with :func:`secret_files`."""
    secret_version: Input[str]
    """Changes with the Secret."""
    url: str
    """Its public address, the port included: it writes its own links with it."""
    ingress_class: str
    """Class of its Ingress."""
    cluster_issuer: str | None
    """Who signs its certificate; None: plain HTTP."""
    storage_class: str
    """StorageClass of what people upload."""


class Penpot(ComponentResource):
    """Page, backend and exporter of pictures; PostgreSQL and Redis are other people's (docs/decisions/1106)."""

    url: Output[str]
    """Where people open it."""

    def __init__(self, name: str, args: PenpotArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:tools:Penpot", name, {}, opts)
        installed = release(name, PENPOT, namespace=args.namespace, values=values(name, args), parent=self)
        self.url = installed.name.apply(lambda _: args.url)
        self.register_outputs({"url": self.url})


def flags(config: PenpotConfig, url: str) -> str:
    """Return Penpot's switches; without mail nobody could confirm an address, so nobody is asked to."""
    words = [
        # The second opens a port inside the backend's pod, without which its `manage.py` can make no account.
        *(["enable-registration"] if config.registration else ["disable-registration", "enable-prepl-server"]),
        "enable-login-with-password",
        "disable-email-verification",
        "disable-smtp",
        # On plain HTTP a browser does not send back a cookie that is marked secure: nobody could log in.
        *([] if url.startswith("https://") else ["disable-secure-session-cookies"]),
    ]
    return " ".join(words)


def values(name: str, args: PenpotArgs) -> dict[str, Any]:
    """Return the chart's values."""
    config = args.config
    return {
        "fullnameOverride": name,
        "config": {
            "publicUri": args.url,
            "flags": flags(config, args.url),
            "telemetryEnabled": False,
            # Else the key that the chart publishes signs the sessions of everybody who installs it.
            "existingSecret": args.secret,
            "secretKeys": {"apiSecretKey": "secret-key"},
            "postgresql": {
                "host": config.database.host,
                "port": config.database.port,
                "database": config.database.name,
                "username": config.database.user,
                "existingSecret": args.secret,
                "secretKeys": {"passwordKey": "database-password"},
            },
            "redis": {"existingSecret": args.secret, "secretKeys": {"redisUriKey": "redis-uri"}},
        },
        **{part: _part(memory_mib, args.secret_version) for part, memory_mib in MEMORY_MIB.items()},
        "persistence": {"assets": {"size": f"{config.storage_gib}Gi", "storageClass": args.storage_class}},
        "ingress": _ingress(name, args),
    }


def _part(memory_mib: int, secret_version: Input[str]) -> dict[str, Any]:
    return {
        "resources": resources(cpu_millicores=500, memory_mib=memory_mib),
        "containerSecurityContext": SECURITY,
        "podAnnotations": {SECRETS_VERSION: secret_version},
        # One volume for all parts, which one node mounts: the old pod leaves before the new one comes.
        "updateStrategy": {"type": "Recreate"},
    }


def _ingress(name: str, args: PenpotArgs) -> dict[str, Any]:
    host = args.config.host
    plain = {"enabled": True, "className": args.ingress_class, "hosts": [host]}
    if not args.cluster_issuer:
        return plain
    return {
        **plain,
        "annotations": {"cert-manager.io/cluster-issuer": args.cluster_issuer},
        "tls": [{"secretName": f"{name}-tls", "hosts": [host]}],
    }
