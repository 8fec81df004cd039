"""A workload that Argo Rollouts replaces: the new version must prove itself on a few pods first, and goes back else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import PodTemplateSpecArgsDict

from infra.cluster import labels, selector
from infra.delivery.analysis import Analysis, AnalysisArgs, longest_seconds
from infra.delivery.wire import wire

PROGRESS_SECONDS = 600
"""A new version whose pods are not ready after so long has failed."""
OLD_PODS_SECONDS = 60
"""Blue-green: the old pods stay so long after the switch, since nodes learn of it one by one."""


def trial_service(name: str) -> str:
    """Return the name of the Service that leads to the new pods of the rollout ``name`` only."""
    return f"{name}-trial"


def analysis_pods(name: str) -> str:
    """Return the component whose pods ask the new pods of the rollout ``name``; for plans."""
    return f"{name}-analysis"


@dataclass(frozen=True, kw_only=True)
class RolloutArgs:
    """What a :class:`Rollout` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    strategy: Literal["canary", "blueGreen"]
    """`canary`: one pod more, of the new version, takes its share of the requests while it is asked. `blueGreen`: all
    new pods beside all old ones; requests move to them at once when they have been asked."""
    replicas: int
    """Number of pods."""
    template: PodTemplateSpecArgsDict
    """The pods, as a Deployment would have them; their labels hold ``selector(name)``."""
    labels: Mapping[str, Input[str]]
    """Labels of every child that belongs to the workload."""
    service: str
    """Name of the Service that people's requests reach; blue-green turns it to the new pods."""
    port: int
    """Port of that Service, and of the one to the new pods."""
    target_port: Input[str]
    """Name of the pods' port behind it."""
    image: Input[str]
    """Image that asks: any with Python, best the workload's own, which is on the node by then."""
    analysis_secret: Input[str]
    """Secret with the file ``key``: the API key that the questions are asked with."""
    requests: int
    """Number of questions."""
    error_percent: int
    """More failed answers than this send the new version back."""
    first_token_seconds: int
    """95 of 100 answers must begin within this time."""
    loading_seconds: int
    """So long the pods may hold a question back while the engine behind them loads a model; 0: it loads none."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class Rollout(ComponentResource):
    """A Rollout in a Deployment's place, the Service to its new pods, and the analysis that asks them."""

    rollout: Output[str]
    """Name of the Rollout."""

    def __init__(self, name: str, args: RolloutArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:delivery:Rollout", name, {}, opts)
        trial = k8s.core.v1.Service(
            f"{name}-trial-service",
            metadata={
                "name": trial_service(name),
                "namespace": args.namespace,
                "labels": args.labels,
                # The controller turns it to the new pods; where there are none, nobody should wait for an endpoint.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            spec={
                "type": "ClusterIP",
                "selector": selector(name),
                "ports": [{"name": "http", "port": args.port, "target_port": args.target_port}],
            },
            opts=ResourceOptions(parent=self),
        )
        analysis = Analysis(
            analysis_pods(name),
            AnalysisArgs(
                namespace=args.namespace,
                labels=labels("delivery", analysis_pods(name)),
                url=Output.concat("http://", trial.metadata["name"], f":{args.port}"),
                image=args.image,
                secret=args.analysis_secret,
                requests=args.requests,
                error_percent=args.error_percent,
                first_token_seconds=args.first_token_seconds,
                loading_seconds=args.loading_seconds,
                pull_secret=args.pull_secret,
            ),
            opts=ResourceOptions(parent=self),
        )
        declared = k8s.apiextensions.CustomResource(
            f"{name}-rollout",
            api_version="argoproj.io/v1alpha1",
            kind="Rollout",
            metadata={"name": name, "namespace": args.namespace, "labels": args.labels},
            spec={
                "replicas": args.replicas,
                "revisionHistoryLimit": 3,
                "progressDeadlineSeconds": _progress_seconds(args),
                "progressDeadlineAbort": True,
                "selector": {"matchLabels": selector(name)},
                "template": wire(args.template),
                "strategy": _strategy(args, trial.metadata["name"], analysis.template),
            },
            opts=ResourceOptions(parent=self),
        )
        self.rollout = declared.metadata["name"]  # type: ignore[attr-defined]  # set at run time only
        self.register_outputs({"rollout": self.rollout})


def _strategy(args: RolloutArgs, trial: Input[str], template: Input[str]) -> dict[str, Any]:
    analysis = {"templates": [{"templateName": template}]}
    if args.strategy == "blueGreen":
        return {
            "blueGreen": {
                "activeService": args.service,
                "previewService": trial,
                "prePromotionAnalysis": analysis,
                "autoPromotionEnabled": True,
                "scaleDownDelaySeconds": OLD_PODS_SECONDS,
            }
        }
    return {
        "canary": {
            "canaryService": trial,
            "maxSurge": 1,
            "maxUnavailable": 0,
            "steps": [{"setWeight": first_weight(args.replicas)}, {"analysis": analysis}],
        }
    }


def _progress_seconds(args: RolloutArgs) -> int:
    """Return the time in which something must go on.

    The controller stops the clock while a step of a canary asks questions. Blue-green has no steps: there it runs on.
    """
    if args.strategy == "canary":
        return PROGRESS_SECONDS
    return PROGRESS_SECONDS + longest_seconds(args.requests, args.loading_seconds)


def first_weight(replicas: int) -> int:
    """Return the weight at which the controller adds one new pod and takes no old one away.

    Without a traffic router it can only count pods, and it picks the count that is nearest to the weight.
    """
    return 100 // (replicas + 1)
