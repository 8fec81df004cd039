"""Restarts what reads a Secret that changed: a mounted file changes by itself, a running process does not notice."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ops.kubectl import Kubectl

Identity = tuple[str, str]
"""Namespace and name."""
RELOADABLE = ("deployments", "statefulsets", "daemonsets")
ROLLOUTS = "rollouts.argoproj.io"
"""Stands in a Deployment's place where Argo Rollouts replaces versions; a cluster without it does not know the kind."""
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
OURS = "app.kubernetes.io/part-of=aihub"


def secrets_of(template: Mapping[str, Any]) -> set[str]:
    """Return the names of the Secrets that a pod template reads, as files or as variables."""
    spec = template.get("spec", {})
    names = {volume["secret"]["secretName"] for volume in spec.get("volumes") or () if "secret" in volume}
    for volume in spec.get("volumes") or ():
        for source in volume.get("projected", {}).get("sources") or ():
            names |= {source["secret"]["name"]} if "secret" in source else set()
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        names |= {each["secretRef"]["name"] for each in container.get("envFrom") or () if "secretRef" in each}
        for variable in container.get("env") or ():
            reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
            names |= {reference["name"]} if reference else set()
    return names


def changed(before: Mapping[Identity, str], after: Mapping[Identity, str]) -> set[Identity]:
    """Return the Secrets whose version differs; new ones have no reader that is older."""
    return {identity for identity, version in after.items() if before.get(identity, version) != version}


def readers(
    workloads: Iterable[Mapping[str, Any]], secrets: set[Identity], rolled: Mapping[tuple[str, str, str], str]
) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, namespace, name) of each workload that reads a changed Secret and was not rolled since.

    Args:
        workloads: as the API server lists them now.
        secrets: those that changed.
        rolled: workload -> its pod template before the change, as text.
    """
    for workload in workloads:
        metadata, template = workload["metadata"], workload["spec"]["template"]
        identity = (str(workload["kind"]), str(metadata["namespace"]), str(metadata["name"]))
        reads = {(metadata["namespace"], name) for name in secrets_of(template)}
        if reads & secrets and rolled.get(identity, "") == json.dumps(template, sort_keys=True):
            yield identity


class Cluster:
    """The two questions and the one change that this needs, through kubectl."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    def secrets(self) -> dict[Identity, str]:
        """Return the version of each Secret of ours; never its content."""
        columns = "custom-columns=N:.metadata.namespace,M:.metadata.name,V:.metadata.resourceVersion"
        printed = self._kubectl.ask("get", "secrets", "-A", "-l", OURS, "--no-headers", "-o", columns)
        rows = [line.split() for line in printed.splitlines()]
        return {(namespace, name): version for namespace, name, version in rows}

    def workloads(self) -> list[dict[str, Any]]:
        """Return everything that runs pods until it is told to stop."""
        known = self._kubectl.ask("api-resources", "--api-group=argoproj.io", "--output=name").split()
        kinds = (*RELOADABLE, *(kind for kind in (ROLLOUTS,) if kind in known))
        return list(self._kubectl.get(",".join(kinds), "-A")["items"])

    def templates(self) -> dict[tuple[str, str, str], str]:
        """Return each workload's pod template, as text that can be compared."""
        return {
            (each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]): json.dumps(
                each["spec"]["template"], sort_keys=True
            )
            for each in self.workloads()
        }

    def restart(self, kind: str, namespace: str, name: str) -> None:
        """Replace the pods of a workload, as its own strategy says."""
        stamp = {RESTARTED_AT: datetime.now(UTC).isoformat(timespec="seconds")}
        patch = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
        self._kubectl.ask("-n", namespace, "patch", kind.lower(), name, "--type=merge", "-p", json.dumps(patch))
