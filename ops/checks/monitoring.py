"""What ``make verify`` asks the Prometheus that measures the stack, ours or the cluster's: does everything reach it?"""

import json
import urllib.parse
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ops.kubectl import Kubectl
from ops.machine import Finding

MONITORS = "podmonitors.monitoring.coreos.com"
OURS = "app.kubernetes.io/part-of=aihub"
PROMETHEUS, PORT = "service/prometheus-operated", 9090
"""What the Prometheus operator calls the Service of every Prometheus, in the namespace that it runs in."""
TIMEOUT_SECONDS = 10
QUESTION = "min by (namespace, job) (up)"
FIX = "Prometheus, Status / Targets, says why: no pod, a network policy, or no such page; docs/operations.md"

Target = tuple[str, str]
"""Namespace of the pods, and their label ``job``."""


def checks(kubectl: Kubectl, namespaces: Collection[str]) -> list[Finding]:
    """Return a finding for each Prometheus that is to measure something in these namespaces; nothing where none is.

    Raises:
        OpsError: the cluster does not answer.
    """
    wanted: dict[str, set[Target]] = {}
    for monitor in kubectl.get(MONITORS, "--all-namespaces", "-l", OURS)["items"]:
        ours = {target for target in _targets(monitor["spec"]) if target[0] in namespaces}
        wanted.setdefault(monitor["metadata"]["namespace"], set()).update(ours)
    found = [metrics(kubectl, where, targets) for where, targets in sorted(wanted.items()) if targets]
    if found:
        # Who keeps the lines, and who may read them, is Grafana's to know: its data source has the login.
        says = "not asked here; Grafana, the last panel of the dashboards Chat and AIPP"
        found.append(Finding(name="log lines", ok=True, says=says))
    return found


def _targets(spec: Mapping[str, Any]) -> Iterator[Target]:
    """Yield what a PodMonitor has measured."""
    for namespace in spec["namespaceSelector"]["matchNames"]:
        for endpoint in spec["podMetricsEndpoints"]:
            for each in endpoint.get("relabelings", ()):
                if each.get("targetLabel") == "job":
                    yield namespace, each["replacement"]


def metrics(kubectl: Kubectl, where: str, wanted: Collection[Target]) -> Finding:
    """Does the Prometheus in namespace ``where`` ask everything, and get an answer?"""
    name = f"metrics, {where}"
    with kubectl.port(where, PROMETHEUS, PORT) as port:
        if port is None:
            says = f"no {PROMETHEUS} answers in namespace {where}"
            return Finding(name=name, ok=False, says=says, fix="kubectl get prometheuses --all-namespaces")
        try:
            up = _up(port)
        except (OSError, ValueError, KeyError) as error:
            return Finding(name=name, ok=False, says=f"Prometheus: {error}", fix=f"kubectl -n {where} get pods")
    silent = sorted(f"{target[0]}/{target[1]}" for target in wanted if up.get(target) == 0)
    # It takes a minute or two until a new pod is known.
    unknown = sorted(f"{target[0]}/{target[1]}" for target in wanted if target not in up)
    bad = [*(f"{each} gives none" for each in silent), *(f"{each} is not asked" for each in unknown)]
    says = "; ".join(bad) or f"{len(wanted)} parts are asked and answer"
    return Finding(name=name, ok=not bad, says=says, fix=FIX)


def _up(port: int) -> dict[Target, float]:
    """Return what is asked -> 1, or 0 where any of its pods does not answer."""
    query = urllib.parse.urlencode({"query": QUESTION})
    address = f"http://127.0.0.1:{port}/api/v1/query?{query}"
    with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:
        series = json.load(answer)["data"]["result"]
    return {(each["metric"].get("namespace", ""), each["metric"]["job"]): float(each["value"][1]) for each in series}
