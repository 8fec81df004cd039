"""Pods that trust a company's authorities. A pure function; manifests are camelCase."""

from typing import Any

from infra.network.authorities import (
    BUNDLE_ENVIRONMENT,
    BUNDLE_MOUNT,
    BUNDLE_VOLUME,
    VOLUME,
    bundle_maker,
)

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What Pod Security `restricted` asks for; 1000 is the user of Jenkins' agent image."""


def trusting(pod: dict[str, Any], image: str) -> dict[str, Any]:
    """Return a pod whose containers all trust the stack's authorities: what clones, builds, scans, signs, asks.

    Args:
        pod: its manifest; stays as it is.
        image: one of the pod's own with a shell, and the public authorities.
    """
    spec = pod["spec"]
    maker = bundle_maker(image, {**RESTRICTED, "readOnlyRootFilesystem": True})

    def those(containers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {
                **each,
                "env": [*each.get("env", ()), *BUNDLE_ENVIRONMENT],
                "volumeMounts": [*each.get("volumeMounts", ()), {**BUNDLE_MOUNT, "readOnly": True}],
            }
            for each in containers
        ]

    return {
        **pod,
        "spec": {
            **spec,
            "volumes": [*spec.get("volumes", ()), VOLUME, BUNDLE_VOLUME],
            "initContainers": [
                maker,
                *those(spec.get("initContainers", [])),
            ],
            "containers": those(spec["containers"]),
        },
    }
