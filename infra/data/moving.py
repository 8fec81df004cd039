"""When a pod is given up because its node is silent, so that another takes its place."""

from pulumi_kubernetes.core.v1 import PodSpecArgsDict


def moves_after(seconds: int | None) -> PodSpecArgsDict:
    """Return the part of a pod's spec that says so; None: Kubernetes adds its own 300 seconds.

    A node counts as silent 40 to 50 seconds after its last word (node-monitor-grace-period); this comes on top.
    """
    if seconds is None:
        return {}
    return {
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{state}",
                "operator": "Exists",
                "effect": "NoExecute",
                "toleration_seconds": seconds,
            }
            for state in ("not-ready", "unreachable")
        ]
    }
