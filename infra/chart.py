"""Helm charts: installed as releases, which run a chart's hooks (`helm.v4.Chart` drops them)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import CustomTimeouts, Input, Resource, ResourceOptions

from infra.versions import ChartPin

TIMEOUT_SECONDS = 900


def release(
    name: str,
    pin: ChartPin,
    *,
    namespace: Input[str],
    values: Mapping[str, Any],
    parent: Resource,
    depends_on: Sequence[Resource] = (),
    timeout_seconds: int = TIMEOUT_SECONDS,
) -> k8s.helm.v3.Release:
    """Declare the release ``name`` of a chart; it is ready when its pods are.

    Every password that the chart would make at random must be given in ``values`` as the name of a Secret: else each
    preview differs, and it stands in Helm's own records.
    """
    is_oci = pin.repository.startswith("oci://")
    return k8s.helm.v3.Release(
        f"{name}-release",
        name=name,
        chart=f"{pin.repository}/{pin.name}" if is_oci else pin.name,
        version=pin.version,
        repository_opts=None if is_oci else {"repo": pin.repository},
        namespace=namespace,
        values=dict(values),
        timeout=timeout_seconds,
        # A release that failed keeps its pods, which say why; the next `up` upgrades it.
        atomic=False,
        cleanup_on_fail=False,
        opts=ResourceOptions(
            parent=parent,
            depends_on=list(depends_on),
            custom_timeouts=CustomTimeouts(create=f"{timeout_seconds}s", update=f"{timeout_seconds}s"),
        ),
    )
