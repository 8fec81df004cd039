"""The api: what people and programs talk to."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, PodSpecArgsDict, ServicePortArgsDict, ServiceSpecArgsDict

from infra.chat.names import METRICS_PORT, PORT, SECRETS_FOLDER
from infra.cluster import labels, selector
from infra.workload import SECRETS_VERSION, Settings, SettingsArgs, http_probe, pod_spec, resources, service_account

DRAIN_SECONDS = 5
"""A stopping pod still takes requests so long: by then every node has left it out of the Service."""


@dataclass(frozen=True, kw_only=True)
class ApiArgs:
    """What an :class:`Api` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: Input[str]
    """The service's image, target ``api``."""
    secret: Input[str]
    """Name of the Secret with ``redis-password``, ``engine-key`` and ``api-key-sha256``."""
    secret_version: Input[str]
    """Changes with the Secret."""
    engine_url: Input[str]
    """Base URL of the engine."""
    redis_host: Input[str]
    """Host of Redis."""
    chroma_host: Input[str]
    """Host of Chroma."""
    replicas: int
    """Number of pods."""
    cpu_millicores: int
    """CPU limit of a pod."""
    memory_mib: int
    """Memory of a pod, reserved whole."""
    node_port: int | None = None
    """Port of every node; absent: reached through an Ingress."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class Api(ComponentResource):
    """Replicas behind a Service; a rollout loses no request, since a pod leaves only after its successor is ready."""

    service: Output[str]
    """Name of the Service."""

    def __init__(self, name: str, args: ApiArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:chat:Api", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("chat", name)
        settings = Settings(
            f"{name}-settings",
            SettingsArgs(
                namespace=args.namespace,
                labels=its_labels,
                data={
                    "CHATBOT_ROLE": "api",
                    "CHATBOT_HOST": "0.0.0.0",  # noqa: S104 - the pod's network
                    "CHATBOT_ENGINE_URL": args.engine_url,
                    "CHATBOT_ENGINE_KEY_FILE": f"{SECRETS_FOLDER}/engine-key",
                    "CHATBOT_API_KEY_SHA256_FILE": f"{SECRETS_FOLDER}/api-key-sha256",
                    "CHATBOT_REDIS_URL": Output.concat("redis://", args.redis_host, ":6379/0"),
                    "CHATBOT_REDIS_PASSWORD_FILE": f"{SECRETS_FOLDER}/redis-password",
                    "CHATBOT_CHROMA_URL": Output.concat("http://", args.chroma_host, ":8000"),
                },
            ),
            opts=child,
        )
        account = service_account(name, args.namespace, its_labels, args.pull_secret, self)
        workload = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={
                "replicas": args.replicas,
                "strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 0, "max_surge": 1}},
                "selector": {"match_labels": selector(name)},
                "template": {
                    "metadata": {"labels": its_labels, "annotations": {SECRETS_VERSION: args.secret_version}},
                    "spec": _pod(name, args, account, settings.config_map),
                },
            },
            opts=child,
        )
        k8s.policy.v1.PodDisruptionBudget(
            f"{name}-disruption-budget",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={"max_unavailable": 1, "selector": {"match_labels": selector(name)}},
            opts=child,
        )
        service = k8s.core.v1.Service(
            f"{name}-service",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec=_service(name, args.node_port),
            # After the pods it points at: one that failed is then named alone, not with a Service that waits for it.
            opts=ResourceOptions(parent=self, depends_on=[workload]),
        )
        self.service = service.metadata["name"]
        self.register_outputs({"service": self.service})


def _service(name: str, node_port: int | None) -> ServiceSpecArgsDict:
    spec: ServiceSpecArgsDict = {"selector": selector(name)}
    if node_port is None:
        return {**spec, "type": "ClusterIP", "ports": [{"name": "http", "port": PORT, "target_port": "http"}]}
    port: ServicePortArgsDict = {"name": "http", "port": PORT, "target_port": "http", "node_port": node_port}
    return {**spec, "type": "NodePort", "ports": [port]}


def _pod(name: str, args: ApiArgs, account: Input[str], settings: Input[str]) -> PodSpecArgsDict:
    container: ContainerArgsDict = {
        "name": "api",
        "image": args.image,
        "env_from": [{"config_map_ref": {"name": settings}}],
        "env": [{"name": "HOME", "value": "/tmp"}],  # noqa: S108 - the pod's own emptyDir; libraries cache below it
        "ports": [
            {"name": "http", "container_port": PORT},
            {"name": "metrics", "container_port": METRICS_PORT},
        ],
        "startup_probe": http_probe("/livez", "http", period_seconds=2, failures=60),
        "liveness_probe": http_probe("/livez", "http", period_seconds=20, failures=3),
        "readiness_probe": http_probe("/readyz", "http", period_seconds=5, failures=2),
        "lifecycle": {"pre_stop": {"sleep": {"seconds": DRAIN_SECONDS}}},
        "resources": resources(cpu_millicores=args.cpu_millicores, memory_mib=args.memory_mib),
        "volume_mounts": [{"name": "secrets", "mount_path": SECRETS_FOLDER, "read_only": True}],
    }
    pod = pod_spec(
        service_account=account,
        containers=[container],
        volumes=[{"name": "secrets", "secret": {"secret_name": args.secret, "default_mode": 0o440}}],
        # An answer that streams may take minutes; it is let finish.
        termination_grace_seconds=120,
    )
    return {
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
