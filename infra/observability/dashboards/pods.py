"""Questions about pods that several dashboards ask."""


def share_of_limit(which: str) -> str:
    """Return how much of its memory limit each container takes, for those that ``which`` selects.

    The limit is what the API server knows: kube-prometheus-stack drops the kubelet's own `container_spec_*`.
    """
    by = "max by (namespace, pod, container)"
    limit = f'{by} (kube_pod_container_resource_limits{{resource="memory", {which}}})'
    return f"{by} (container_memory_working_set_bytes{{{which}}}) / {limit}"
