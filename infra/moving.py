"""When a pod is given up because its node is silent, so that another takes its place."""

from pulumi_kubernetes.core.v1 import PodSpecArgsDict


def moving(pod: PodSpecArgsDict, after_seconds: int | None) -> PodSpecArgsDict:
    """Return the pod's spec with the time after which it is given up; None: Kubernetes adds its own 300 seconds.

    A node counts as silent 40 to 50 seconds after its last word (node-monitor-grace-period); this comes on top.
    """
    if after_seconds is None:
        return pod
    return {
        **pod,
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{state}",
                "operator": "Exists",
                "effect": "NoExecute",
                "toleration_seconds": after_seconds,
            }
            for state in ("not-ready", "unreachable")
        ],
    }
