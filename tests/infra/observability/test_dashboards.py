"""Dashboards ask only for what exists, and are what Grafana reads."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from infra.observability.alerts import ALERTS
from infra.observability.dashboards.all import DASHBOARDS, dashboards_of
from infra.observability.dashboards.grafana import Dashboard, as_json
from infra.observability.measured import CADVISOR, KUBELET
from tests.infra.observability.known_metrics import families_of_the_service, known, of_the_service
from tests.infra.observability.support import SCOPE, matchers, metrics_in, recorded, selectors
from tests.infra.support import of_kind

EACH = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)


def asked(dashboard: Dashboard) -> set[str]:
    questions = [query.expression for panel in dashboard.panels if panel.kind != "logs" for query in panel.queries]
    return set().union(*map(metrics_in, questions))


@EACH
def test_every_metric_exists(dashboard: Dashboard) -> None:
    assert asked(dashboard) - known() == set()


def test_chat_asks_for_what_the_service_measures() -> None:
    (chat,) = (each for each in DASHBOARDS if each.name == "chat")
    assert asked(chat) <= of_the_service()
    # A metric that is measured and shown nowhere is found here.
    shown = {re.sub("_(bucket|count|total)$", "", name) for name in asked(chat)}
    assert families_of_the_service() - shown == set()


@EACH
def test_legends_name_labels_that_are_left(dashboard: Dashboard) -> None:
    """An aggregation drops every label that it does not name; a legend with one of those would be empty."""
    for panel in dashboard.panels:
        for query in panel.queries:
            wanted = set(re.findall(r"{{(\w+)}}", query.legend))
            kept = [set(re.split(r",\s*", group)) for group in re.findall(r"\bby \(([^)]*)\)", query.expression)]
            if wanted and kept:
                assert wanted <= set.union(*kept), panel.title


@pytest.mark.parametrize("name", ["chat", "aipp", "data"])
def test_others_in_the_same_prometheus_do_not_appear(name: str) -> None:
    (dashboard,) = (each for each in DASHBOARDS if each.name == name)
    questions = [query.expression for panel in dashboard.panels if panel.kind != "logs" for query in panel.queries]
    for selector in (selector for question in questions for selector in selectors(question)):
        labels = {label for label, _ in matchers(selector)}
        assert labels & {"namespace", "pod", "exported_pod"} or selector.name == "argocd_app_info", selector.name


def test_what_is_kept_of_the_node_is_what_is_asked_for() -> None:
    questions = {name for each in DASHBOARDS for name in asked(each)}
    questions |= {name for alert in ALERTS for name in metrics_in(alert.expression)}
    assert {name for name in questions if name.startswith(("kubelet_", "container_"))} == {*KUBELET, *CADVISOR}


@EACH
def test_json_is_a_dashboard(dashboard: Dashboard) -> None:
    whole = json.loads(as_json(dashboard, SCOPE))
    assert whole["uid"] == f"aihub-{dashboard.name}"
    assert len({panel["id"] for panel in whole["panels"]}) == len(dashboard.panels)
    names = {variable["name"] for variable in whole["templating"]["list"]}
    for panel in whole["panels"]:
        assert panel["datasource"]["uid"].strip("${}") in names
        assert all(target["datasource"] == panel["datasource"] and target["expr"] for target in panel["targets"])
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    assert not any(_overlap(one["gridPos"], other["gridPos"]) for one, other in combinations(whole["panels"], 2))


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


@pytest.mark.parametrize(("name", "namespace"), [("chat", "chat"), ("aipp", "aipp")])
def test_log_lines_are_picked_by_containers_that_there_are(name: str, namespace: str) -> None:
    (dashboard,) = (each for each in DASHBOARDS if each.name == name)
    (question,) = (panel.queries[0].expression for panel in dashboard.panels if panel.kind == "logs")
    (picked,) = re.findall(r'\$log_container=~"([^"]+)"', question)
    containers = {
        container["name"]
        for each in recorded("aipp-watched-by-the-cluster").objects()
        if each.kind in {"Deployment", "StatefulSet"} and each.namespace == namespace
        for container in each.properties["spec"]["template"]["spec"]["containers"]
    }
    others = {each for each in containers if not re.fullmatch(picked, each)}
    assert len(containers) - len(others) == {"chat": 2, "aipp": 8}[name]
    assert others <= {"postgres-exporter", "redis-exporter"}


def test_names_differ() -> None:
    assert len({each.name for each in DASHBOARDS}) == len({each.title for each in DASHBOARDS}) == len(DASHBOARDS)


def test_only_what_is_measured_is_shown() -> None:
    assert [each.name for each in dashboards_of({"api"})] == ["chat"]
    assert dashboards_of(set()) == ()


def test_config_maps_carry_the_label_that_grafana_looks_for() -> None:
    recording = recorded("observability-of-our-own")
    maps = [each for each in of_kind(recording, "ConfigMap") if each.object_name.startswith("aihub-dashboard-")]
    assert {each.object_name for each in maps} == {
        f"aihub-dashboard-{name}" for name in ("chat", "gpu", "machine", "data", "registry")
    }
    for each in maps:
        properties: dict[str, Any] = each.properties
        assert properties["metadata"]["labels"]["grafana_dashboard"] == "1"
        ((file, text),) = properties["data"].items()
        assert file == f"aihub-{json.loads(text)['uid'].removeprefix('aihub-')}.json"
        assert len(text) < 256 * 1024  # what one annotation of a server-side apply may hold, and then some
