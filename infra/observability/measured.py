"""What a stack's Prometheus knows of, and which of a node's many metrics are kept: those that somebody asks for."""

from collections.abc import Iterable

from infra.aipp.names import LINKER
from infra.config import StackConfig
from infra.observability.targets import Target

NODE = "kubelet"
"""What the kubelets tell of all pods and volumes."""
WORKLOAD_STATES = "kube-state-metrics"
"""What the API server knows of workloads."""
AIPP = "aipp"
"""What the two tell of the vendor's services, whether or not these tell anything themselves."""

KUBELET = ("kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes")
CADVISOR = (
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "container_oom_events_total",
)
WORKLOADS = ("daemonsets", "deployments", "jobs", "nodes", "persistentvolumeclaims", "pods", "statefulsets")
"""What kube-state-metrics lists; by default it also reads every Secret."""


def keep(metrics: tuple[str, ...]) -> list[dict[str, object]]:
    """Return the relabelling that drops all metrics but these."""
    return [{"sourceLabels": ["__name__"], "action": "keep", "regex": "|".join(metrics)}]


def measured(stack: StackConfig, targets: Iterable[Target]) -> frozenset[str]:
    """Return the components that dashboards and alerts may ask for.

    Nodes and workloads are among them with any Prometheus: the cluster's own asks them for others already.
    """
    everywhere = {NODE, WORKLOAD_STATES}
    if stack.aipp:
        everywhere |= {AIPP, LINKER} if stack.aipp.linker.gpu_count else {AIPP}
    return frozenset({target.component for target in targets} | everywhere)
