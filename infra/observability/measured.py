"""Which of a node's many metrics are kept: those that a dashboard or an alert asks for."""

KUBELET = ("kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes")
CADVISOR = (
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "container_oom_events_total",
    "container_spec_memory_limit_bytes",
)
WORKLOADS = ("daemonsets", "deployments", "jobs", "nodes", "persistentvolumeclaims", "pods", "statefulsets")
"""What kube-state-metrics lists; by default it also reads every Secret."""


def keep(metrics: tuple[str, ...]) -> list[dict[str, object]]:
    """Return the relabelling that drops all metrics but these."""
    return [{"sourceLabels": ["__name__"], "action": "keep", "regex": "|".join(metrics)}]
