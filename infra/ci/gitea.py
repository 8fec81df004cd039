"""Gitea: a Git server for one installation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, EnvVarArgsDict

from infra.ci.git import ADMIN, GITEA_PORT, ROBOT
from infra.ci.gitea_config import ACCOUNTS, CONFIG_FILE, CONFIG_FOLDER, DATA, SECRETS, configuration
from infra.folders import Folder
from infra.store import StoreArgs, declare_store
from infra.workload import SECRETS_VERSION, http_probe, resources

# HOME and USER: Gitea writes Git's own configuration there, and asks who runs it, which no passwd entry says.
_ENVIRONMENT: list[EnvVarArgsDict] = [
    {"name": "HOME", "value": f"{DATA}/home"},
    {"name": "USER", "value": "git"},
    {"name": "GITEA_WORK_DIR", "value": DATA},
]


@dataclass(frozen=True, kw_only=True)
class GiteaArgs(StoreArgs):
    """What a :class:`Gitea` needs from its caller; its image has ``gitea``, ``git`` and a shell on its path."""

    address: str
    """By which it names itself in what it sends."""
    is_https: bool
    """Whether people reach it over HTTPS only."""
    webhook_hosts: Sequence[str]
    """The only hosts that webhooks may call."""
    secrets: Input[str]
    """Name of the Secret with the files of :data:`infra.ci.gitea_config.SECRET_FILES` and of ``accounts``."""
    secrets_version: Input[str]
    """Changes with it, so that a new password is set at once."""
    accounts: Mapping[str, str]
    """Further account -> file of the Secret with its password."""


class Gitea(ComponentResource):
    """One server on one volume; its accounts are made, and get their passwords, before each start."""

    url: Output[str]
    """Address within the cluster, known once the server answers."""

    def __init__(self, name: str, args: GiteaArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:ci:Gitea", name, {}, opts)
        config = configuration(address=args.address, webhook_hosts=args.webhook_hosts, is_https=args.is_https)
        store = declare_store(
            self,
            name,
            args,
            room="ci",
            container=_server(args),
            ports={"http": GITEA_PORT},
            data_folder=DATA,
            config_folder=CONFIG_FOLDER,
            config={"app.ini": config},
            folders=[Folder.of_secret("secrets", SECRETS, args.secrets)],
            annotations={SECRETS_VERSION: args.secrets_version},
            init_containers=[_accounts(args)],
        )
        self.url = Output.concat("http://", store.host, f":{GITEA_PORT}")
        self.register_outputs({"url": self.url})


def _accounts(args: GiteaArgs) -> ContainerArgsDict:
    wanted = {ADMIN: "admin-password --admin", ROBOT: "robot-password", **args.accounts}
    return {
        "name": "accounts",
        "image": args.image,
        "command": ["sh", "-c", accounts_script(wanted)],
        "env": _ENVIRONMENT,
        "resources": resources(cpu_millicores=1000, memory_mib=args.memory_mib),
    }


def _server(args: GiteaArgs) -> ContainerArgsDict:
    return {
        "name": "gitea",
        "image": args.image,
        "command": ["gitea", "web", "--config", CONFIG_FILE],
        "env": _ENVIRONMENT,
        "ports": [{"name": "http", "container_port": GITEA_PORT}],
        "startup_probe": http_probe("/api/healthz", "http", period_seconds=2, failures=90),
        "liveness_probe": {"tcp_socket": {"port": "http"}, "period_seconds": 20, "failure_threshold": 3},
        "readiness_probe": http_probe("/api/healthz", "http", period_seconds=5, failures=3),
        "resources": resources(cpu_millicores=1000, memory_mib=args.memory_mib),
    }


def accounts_script(wanted: Mapping[str, str]) -> str:
    """Return the shell text that makes each account: NAME -> ``FILE [--admin]``."""
    calls = []
    for name, rest in wanted.items():
        file, _, flag = rest.partition(" ")
        calls.append(f"ensure {name} {file} '{flag}'")
    return ACCOUNTS + "\n".join(calls) + "\n"
