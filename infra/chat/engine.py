"""The engine: the chat model and the embedding model, behind an OpenAI-compatible API of its own."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict

from infra.chat.names import METRICS_PORT, MODELS_FOLDER, PORT, SECRETS_FOLDER, engine_url
from infra.cluster import labels, selector
from infra.folders import Folder
from infra.workload import (
    SECRETS_VERSION,
    Settings,
    SettingsArgs,
    http_probe,
    pod_spec,
    resources,
    service,
    service_account,
)

ROLLOUT_TIMEOUT = "30m"
"""The image is gigabytes and a model takes minutes to load."""


@dataclass(frozen=True, kw_only=True)
class EngineArgs:
    """What an :class:`Engine` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: Input[str]
    """The service's image, target ``engine``."""
    secret: Input[str]
    """Name of the Secret with ``engine-key``."""
    secret_version: Input[str]
    """Changes with the Secret."""
    cpu_millicores: int
    """CPU limit."""
    memory_mib: int
    """Memory, reserved whole."""
    shared_memory_mib: int
    """Size of /dev/shm, through which PyTorch's processes pass tensors."""
    gpu_count: int = 0
    """GPUs of the pod."""
    runtime_class: str | None = None
    """RuntimeClass that gives a container the GPU."""
    model_claim: Input[str] | None = None
    """Name of the claim with the weights; absent: no model."""
    model_folder: str = ""
    """Where the model lies in the container."""
    model_name: str = ""
    """Its public name."""
    context_tokens: int | None = None
    """Longest conversation; absent: what the model declares."""
    gpu_memory_fraction: float | None = None
    """Part of each card that PyTorch may take; absent: all of it."""
    otlp_endpoint: str | None = None
    """Where it sends traces (OTLP over HTTP); absent: it makes none."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class Engine(ComponentResource):
    """One engine per card: a Deployment that replaces its pod (`Recreate`), since a card holds one model at a time."""

    url: Output[str]
    """Base URL of its API inside the cluster."""

    def __init__(self, name: str, args: EngineArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:chat:Engine", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("chat", name)
        settings = Settings(
            f"{name}-settings",
            SettingsArgs(
                namespace=args.namespace,
                labels=its_labels,
                data={
                    "CHATBOT_ROLE": "engine",
                    "CHATBOT_HOST": "0.0.0.0",  # noqa: S104 - the pod's network
                    "CHATBOT_ENGINE_KEY_FILE": f"{SECRETS_FOLDER}/engine-key",
                    "CHATBOT_DEVICE": "cuda" if args.gpu_count else "cpu",
                    **({"CHATBOT_OTLP_ENDPOINT": args.otlp_endpoint} if args.otlp_endpoint else {}),
                    **_model_settings(args),
                },
            ),
            opts=child,
        )
        account = service_account(name, args.namespace, its_labels, args.pull_secret, self)
        pod = pod_spec(
            service_account=account,
            containers=[_container(args, settings.config_map)],
            folders=_folders(args),
            termination_grace_seconds=60,
        )
        workload = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={
                "replicas": 1,
                "strategy": {"type": "Recreate"},
                "progress_deadline_seconds": 1800,
                "selector": {"match_labels": selector(name)},
                "template": {
                    "metadata": {"labels": its_labels, "annotations": {SECRETS_VERSION: args.secret_version}},
                    "spec": {**pod, "runtime_class_name": args.runtime_class} if args.runtime_class else pod,
                },
            },
            opts=ResourceOptions(
                parent=self, custom_timeouts=CustomTimeouts(create=ROLLOUT_TIMEOUT, update=ROLLOUT_TIMEOUT)
            ),
        )
        host = service(name, args.namespace, its_labels, ports={"http": PORT}, workload=workload, parent=self)
        self.url = engine_url(host, args.namespace)
        self.register_outputs({"url": self.url})


def _model_settings(args: EngineArgs) -> dict[str, str]:
    settings: dict[str, str] = {}
    if args.model_claim is not None:
        settings |= {"CHATBOT_MODEL": args.model_folder, "CHATBOT_MODEL_NAME": args.model_name}
        settings |= {"CHATBOT_CONTEXT_TOKENS": str(args.context_tokens)} if args.context_tokens else {}
    if args.gpu_memory_fraction:
        # PyTorch's own limit: beyond it the engine is refused memory, and not whoever else uses the card.
        settings["PYTORCH_ALLOC_CONF"] = f"per_process_memory_fraction:{args.gpu_memory_fraction:.3f}"
    return settings


def _container(args: EngineArgs, settings: Input[str]) -> ContainerArgsDict:
    return {
        "name": "engine",
        "image": args.image,
        "env_from": [{"config_map_ref": {"name": settings}}],
        "env": [{"name": "HOME", "value": "/tmp"}],  # noqa: S108 - the pod's own emptyDir; libraries cache below it
        "ports": [
            {"name": "http", "container_port": PORT},
            {"name": "metrics", "container_port": METRICS_PORT},
        ],
        "startup_probe": http_probe("/readyz", "http", period_seconds=5, failures=240),
        "liveness_probe": http_probe("/livez", "http", period_seconds=20, failures=3),
        "readiness_probe": http_probe("/readyz", "http", period_seconds=5, failures=2),
        "resources": resources(
            cpu_millicores=args.cpu_millicores, memory_mib=args.memory_mib, gpu_count=args.gpu_count
        ),
    }


def _folders(args: EngineArgs) -> list[Folder]:
    folders = [
        # The engine gets its own key only: it has no business with Redis or with people's keys.
        Folder.of_secret("secrets", SECRETS_FOLDER, args.secret, files=["engine-key"]),
        Folder.shared_memory(args.shared_memory_mib),
    ]
    if args.model_claim is not None:
        # The mount is read-only, the volume is not: one that is attached so cannot be shared with the download.
        folders.append(Folder.of_claim("models", MODELS_FOLDER, args.model_claim, read_only=True))
    return folders
