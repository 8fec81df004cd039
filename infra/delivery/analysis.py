"""The question that decides a rollout, as an AnalysisTemplate: a Job that talks to the new pods."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict

from infra.delivery.wire import wire
from infra.folders import Folder
from infra.workload import Settings, SettingsArgs, pod_spec, resources, service_account

SCRIPT = Path(__file__).with_name("measure.py")
SCRIPT_FOLDER = "/etc/analysis"
SECRET_FOLDER = "/etc/analysis-key"  # noqa: S105 - where it is mounted
AT_ONCE = 2
ANSWER_TIMEOUT_SECONDS = 60
START_SECONDS = 120
MEMORY_MIB = 96
SECRET_FILES: Mapping[str, str] = {"key": "${analysisKey}"}
"""Files of the Secret that it reads."""


@dataclass(frozen=True, kw_only=True)
class AnalysisArgs:
    """What an :class:`Analysis` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    labels: Mapping[str, Input[str]]
    """Labels of every child and of the pods that ask."""
    url: Input[str]
    """Address of the new pods."""
    image: Input[str]
    """Image with Python."""
    secret: Input[str]
    """Secret with the file ``key``, the API key."""
    requests: int
    """Number of questions."""
    error_percent: int
    """More failed answers than this are too many."""
    first_token_seconds: int
    """95 of 100 answers must begin within this time."""
    loading_seconds: int
    """So long the service may hold a question back while the engine behind it loads a model; 0: it loads none."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class Analysis(ComponentResource):
    """An AnalysisTemplate whose one measurement is a Job; see docs/decisions/1003."""

    template: Output[str]
    """Name of the AnalysisTemplate."""

    def __init__(self, name: str, args: AnalysisArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:delivery:Analysis", name, {}, opts)
        child = ResourceOptions(parent=self)
        script = Settings(
            f"{name}-script",
            SettingsArgs(namespace=args.namespace, labels=args.labels, data={SCRIPT.name: SCRIPT.read_text()}),
            opts=child,
        )
        account = service_account(name, args.namespace, args.labels, args.pull_secret, self)
        pod = pod_spec(
            service_account=account,
            containers=[_container(args)],
            folders=[
                Folder.of_config("script", SCRIPT_FOLDER, script.config_map),
                Folder.of_secret("key", SECRET_FOLDER, args.secret),
            ],
        )
        job = {
            "metadata": {"labels": args.labels},
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": longest_seconds(args.requests, args.loading_seconds),
                "template": {"metadata": {"labels": args.labels}, "spec": {**wire(pod), "restartPolicy": "Never"}},
            },
        }
        declared = k8s.apiextensions.CustomResource(
            f"{name}-template",
            api_version="argoproj.io/v1alpha1",
            kind="AnalysisTemplate",
            metadata={"name": name, "namespace": args.namespace, "labels": args.labels},
            spec={"metrics": [{"name": "answers", "count": 1, "failureLimit": 0, "provider": {"job": job}}]},
            opts=child,
        )
        self.template = declared.metadata["name"]  # type: ignore[attr-defined]  # set at run time only
        self.register_outputs({"template": self.template})


def longest_seconds(requests: int, loading_seconds: int) -> int:
    """Return how long an analysis takes at most."""
    rounds = -(-requests // AT_ONCE)
    return START_SECONDS + _warm_up_seconds(loading_seconds) + ANSWER_TIMEOUT_SECONDS * rounds


def _warm_up_seconds(loading_seconds: int) -> int:
    """Return the time of the question that is not counted: held back, then answered."""
    return loading_seconds + ANSWER_TIMEOUT_SECONDS


def _container(args: AnalysisArgs) -> ContainerArgsDict:
    settings: Mapping[str, Input[str]] = {
        "MEASURE_URL": args.url,
        "MEASURE_KEY_FILE": f"{SECRET_FOLDER}/key",
        "MEASURE_REQUESTS": str(args.requests),
        "MEASURE_AT_ONCE": str(AT_ONCE),
        "MEASURE_ERROR_PERCENT": str(args.error_percent),
        "MEASURE_FIRST_WORD_SECONDS": str(args.first_token_seconds),
        "MEASURE_TIMEOUT_SECONDS": str(ANSWER_TIMEOUT_SECONDS),
        "MEASURE_WARM_UP_SECONDS": str(_warm_up_seconds(args.loading_seconds)),
        "MEASURE_START_SECONDS": str(START_SECONDS),
    }
    return {
        "name": "ask",
        "image": args.image,
        "command": ["python3", f"{SCRIPT_FOLDER}/{SCRIPT.name}"],
        "env": [{"name": name, "value": value} for name, value in settings.items()],
        "resources": resources(cpu_millicores=500, memory_mib=MEMORY_MIB),
    }
