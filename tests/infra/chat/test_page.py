"""The page as a workload of its own, and how the entrance parts it from the api."""

import re
from pathlib import Path
from typing import Any

from infra.chat.names import API_PATHS
from infra.chat.page import DRAIN_SECONDS, Page, PageArgs
from infra.recorder import Recording, record
from tests.infra.support import container_of, only, pod_of

SERVICE = Path(__file__).parents[3] / "service/chatbot"


def declared(**changes: Any) -> Recording:
    args: dict[str, Any] = {
        "namespace": "chat",
        "image": "registry.local:5000/aihub/page:0.1.0",
        "replicas": 2,
        "cpu_millicores": 200,
        "memory_mib": 64,
        **changes,
    }
    return record(lambda: Page("page", PageArgs(**args)), stack="test")


def test_it_listens_where_its_service_and_its_probes_ask() -> None:
    recording = declared()
    container = container_of(only(recording, "Deployment"))
    (port,) = container["ports"]
    (served,) = only(recording, "Service")["spec"]["ports"]
    assert (port["containerPort"], served["port"], served["targetPort"]) == (8080, 8080, port["name"])
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": port["name"], "scheme": "HTTP"}


def test_it_writes_nowhere_but_in_tmp() -> None:
    container = container_of(only(declared(), "Deployment"))
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]


def test_rollout_adds_before_it_takes_away() -> None:
    recording = declared(replicas=3)
    deployment = only(recording, "Deployment")
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert container_of(deployment)["lifecycle"] == {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}}
    assert pod_of(deployment)["terminationGracePeriodSeconds"] > DRAIN_SECONDS
    assert only(recording, "PodDisruptionBudget")["spec"]["selector"] == deployment["spec"]["selector"]


def test_every_path_of_the_api_is_one_of_its_routes() -> None:
    """Read the service's own routes: one that the entrance does not know would end at the page."""
    routes = {route for file in SERVICE.rglob("*.py") for route in _routes(file.read_text())}
    assert len(routes) > 10
    of_page = {"/", "/favicon.svg"}
    inside_the_cluster_only = {"/metrics"}
    left = routes - of_page - inside_the_cluster_only
    assert {path for path in left if f"/{path.split('/')[1]}" not in API_PATHS} == set()


def _routes(source: str) -> list[str]:
    prefix = re.search(r'APIRouter\([^)]*prefix="(/[^"]*)"', source)
    paths = re.findall(r'@\w+\.(?:get|post|put|patch|delete)\(\s*"(/?[^"]*)"', source)
    return [(prefix[1] if prefix else "") + path for path in paths]
