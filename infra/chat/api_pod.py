"""The api's pod, for whichever object replaces its versions: a Deployment, or a Rollout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pulumi import Input
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    PodSpecArgsDict,
    PodTemplateSpecArgsDict,
    VolumeArgsDict,
)

from infra.chat.names import METRICS_PORT, PORT, SECRETS_FOLDER
from infra.cluster import labels, selector
from infra.folders import Folder
from infra.network import authorities
from infra.workload import SECRETS_VERSION, http_probe, pod_spec, resources

GRACE_SECONDS = 120
"""A stopping pod has so long in all: an answer that streams may take minutes, and is let finish."""
DRAIN_SECONDS = 5
"""A stopping pod still takes requests so long: by then every node has left it out of the Service."""
CLOSING_SECONDS = 10
"""At the end, for what could not be saved before."""
ANSWER_SECONDS = GRACE_SECONDS - DRAIN_SECONDS - CLOSING_SECONDS
"""So long the service lets its answers go on, once it is told to stop."""
CA_FOLDER = "/etc/chatbot/ca"
CA_FILE = f"{CA_FOLDER}/ca.crt"


@dataclass(frozen=True, kw_only=True)
class ApiPodArgs:
    """What :func:`api_pod` needs from its caller."""

    image: Input[str]
    """The service's image, target ``api``."""
    account: Input[str]
    """ServiceAccount of the pod."""
    settings: Input[str]
    """ConfigMap with the environment."""
    secret: Input[str]
    """Name of the Secret with every file that the settings name."""
    secret_version: Input[str]
    """Changes with the Secret."""
    cpu_millicores: int
    """CPU limit."""
    memory_mib: int
    """Memory, reserved whole."""
    ca_secret: str | None = None
    """Secret whose ``ca.crt`` is the authority of the issuer of logins; absent: a public one, or of ``authorities``."""
    authorities: str | None = None
    """Changes with the authorities in the namespace's ConfigMap, for the issuer of logins; absent: the public ones."""
    host_aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Address -> host names that no DNS in the cluster knows."""


def api_pod(name: str, args: ApiPodArgs) -> PodTemplateSpecArgsDict:
    """Return the template of the api's pods; ``selector(name)`` picks them."""
    versions: dict[str, Input[str]] = {
        SECRETS_VERSION: args.secret_version,
        **authorities.annotations(args.authorities),
    }
    return {
        "metadata": {"labels": labels("chat", name), "annotations": versions},
        "spec": _spec(name, args),
    }


def _spec(name: str, args: ApiPodArgs) -> PodSpecArgsDict:
    folders = [Folder.of_secret("secrets", SECRETS_FOLDER, args.secret)]
    if args.ca_secret:
        # Of this Secret the certificate of the authority only, not the key of the chat's own.
        authority: VolumeArgsDict = {
            "name": "ca",
            "secret": {"secret_name": args.ca_secret, "items": [{"key": "ca.crt", "path": "ca.crt"}]},
        }
        folders.append(Folder(volume=authority, mounts=({"name": "ca", "mount_path": CA_FOLDER, "read_only": True},)))
    elif args.authorities:
        folders.append(authorities.folder(CA_FOLDER))
    pod = pod_spec(
        service_account=args.account,
        containers=[_container(args)],
        folders=folders,
        termination_grace_seconds=GRACE_SECONDS,
    )
    spread: PodSpecArgsDict = {
        **pod,
        "topology_spread_constraints": [
            {
                "max_skew": 1,
                "topology_key": "kubernetes.io/hostname",
                "when_unsatisfiable": "ScheduleAnyway",
                "label_selector": {"match_labels": selector(name)},
            }
        ],
    }
    if not args.host_aliases:
        return spread
    return {
        **spread,
        "host_aliases": [{"ip": address, "hostnames": list(names)} for address, names in args.host_aliases.items()],
    }


def _container(args: ApiPodArgs) -> ContainerArgsDict:
    return {
        "name": "api",
        "image": args.image,
        "env_from": [{"config_map_ref": {"name": args.settings}}],
        "env": [{"name": "HOME", "value": "/tmp"}],  # noqa: S108 - the pod's own emptyDir; libraries cache below it
        "ports": [
            # With the protocol, which is part of the key of a port: a Rollout has a default for it, at which
            # Argo CD's comparison on the server's side fails (seen with 2.14.21).
            {"name": "http", "container_port": PORT, "protocol": "TCP"},
            {"name": "metrics", "container_port": METRICS_PORT, "protocol": "TCP"},
        ],
        "startup_probe": http_probe("/livez", "http", period_seconds=2, failures=60),
        "liveness_probe": http_probe("/livez", "http", period_seconds=20, failures=3),
        "readiness_probe": http_probe("/readyz", "http", period_seconds=5, failures=2),
        "lifecycle": {"pre_stop": {"sleep": {"seconds": DRAIN_SECONDS}}},
        "resources": resources(cpu_millicores=args.cpu_millicores, memory_mib=args.memory_mib),
    }
