"""The api: what people and programs talk to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions
from pulumi_kubernetes.core.v1 import PodTemplateSpecArgsDict, ServicePortArgsDict, ServiceSpecArgsDict

from infra.chat.api_login import ApiLogin
from infra.chat.api_pod import ANSWER_SECONDS, ApiPodArgs, api_pod
from infra.chat.names import PORT, SECRETS_FOLDER
from infra.cluster import labels, selector
from infra.config.delivery import AnalysisConfig
from infra.delivery.rollout import Rollout, RolloutArgs
from infra.workload import Settings, SettingsArgs, service_account

LOADING_SECONDS = 600
"""So long a question waits for the engine while another model is loaded: gigabytes from a disk, then onto the card."""


@dataclass(frozen=True, kw_only=True)
class ApiArgs:
    """What an :class:`Api` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: Input[str]
    """The service's image, target ``api``."""
    secret: Input[str]
    """Name of the Secret with ``redis-password``, ``engine-key``, ``api-key-sha256``; with logins, the client's."""
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
    engine_has_model: bool = False
    """Whether the engine loads a model when it starts, which takes minutes; else it is there in seconds."""
    otlp_endpoint: str | None = None
    """Where it sends traces (OTLP over HTTP); absent: it makes none."""
    login: ApiLogin | None = None
    """How people log in; absent: with the API key only."""
    rollout: Literal["rolling", "canary", "blueGreen"] = "rolling"
    """How a new version takes over."""
    analysis: AnalysisConfig = field(default_factory=AnalysisConfig)
    """What a new version must show first, unless it takes over pod by pod."""
    analysis_secret: Input[str] = ""
    """Secret with the API key for that, in the file ``key``."""
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
            SettingsArgs(namespace=args.namespace, labels=its_labels, data=_environment(args)),
            opts=child,
        )
        template = api_pod(
            name,
            ApiPodArgs(
                image=args.image,
                account=service_account(name, args.namespace, its_labels, args.pull_secret, self),
                settings=settings.config_map,
                secret=args.secret,
                secret_version=args.secret_version,
                cpu_millicores=args.cpu_millicores,
                memory_mib=args.memory_mib,
                ca_secret=args.login.ca_secret if args.login else None,
                authorities=args.login.authorities if args.login else None,
                host_aliases=args.login.host_aliases if args.login else {},
            ),
        )
        workload = self._workload(name, args, template)
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

    def _workload(self, name: str, args: ApiArgs, template: PodTemplateSpecArgsDict) -> Resource:
        """Declare what keeps the pods running and replaces their versions."""
        if args.rollout != "rolling":
            return Rollout(
                name,
                RolloutArgs(
                    namespace=args.namespace,
                    strategy=args.rollout,
                    replicas=args.replicas,
                    template=template,
                    labels=labels("chat", name),
                    service=name,
                    port=PORT,
                    target_port="http",
                    image=args.image,
                    analysis_secret=args.analysis_secret,
                    requests=args.analysis.requests,
                    error_percent=args.analysis.error_percent,
                    first_token_seconds=args.analysis.first_token_seconds,
                    loading_seconds=LOADING_SECONDS if args.engine_has_model else 0,
                    pull_secret=args.pull_secret,
                ),
                opts=ResourceOptions(parent=self),
            )
        return k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata={"name": name, "namespace": args.namespace, "labels": labels("chat", name)},
            spec={
                "replicas": args.replicas,
                "strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 0, "max_surge": 1}},
                "selector": {"match_labels": selector(name)},
                "template": template,
            },
            opts=ResourceOptions(parent=self),
        )


def _environment(args: ApiArgs) -> Mapping[str, Input[str]]:
    return {
        "CHATBOT_ROLE": "api",
        "CHATBOT_HOST": "0.0.0.0",  # noqa: S104 - the pod's network
        "CHATBOT_ENGINE_URL": args.engine_url,
        "CHATBOT_ENGINE_KEY_FILE": f"{SECRETS_FOLDER}/engine-key",
        "CHATBOT_API_KEY_SHA256_FILE": f"{SECRETS_FOLDER}/api-key-sha256",
        "CHATBOT_REDIS_URL": Output.concat("redis://", args.redis_host, ":6379/0"),
        "CHATBOT_REDIS_PASSWORD_FILE": f"{SECRETS_FOLDER}/redis-password",
        "CHATBOT_CHROMA_URL": Output.concat("http://", args.chroma_host, ":8000"),
        "CHATBOT_DRAIN_SECONDS": str(ANSWER_SECONDS),
        **({"CHATBOT_ENGINE_HOLD_SECONDS": str(LOADING_SECONDS)} if args.engine_has_model else {}),
        **({"CHATBOT_OTLP_ENDPOINT": args.otlp_endpoint} if args.otlp_endpoint else {}),
        **(args.login.settings if args.login else {}),
    }


def _service(name: str, node_port: int | None) -> ServiceSpecArgsDict:
    spec: ServiceSpecArgsDict = {"selector": selector(name)}
    if node_port is None:
        return {**spec, "type": "ClusterIP", "ports": [{"name": "http", "port": PORT, "target_port": "http"}]}
    port: ServicePortArgsDict = {"name": "http", "port": PORT, "target_port": "http", "node_port": node_port}
    return {**spec, "type": "NodePort", "ports": [port]}
