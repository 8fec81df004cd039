"""One table decides what is measured: monitors and flows follow from it, and nothing else is asked."""

import pytest

from infra.config import parse
from infra.observability.names import otlp_endpoint
from infra.observability.targets import TARGETS, targets_of
from infra.plan import INGRESS, World
from infra.program import plan
from infra.stackfile import configuration
from tests.infra.observability.support import parsed, recorded
from tests.infra.support import of_kind

OWN, FOREIGN = "observability-of-our-own", "observability-of-the-cluster"


def test_every_target_is_a_component_of_the_largest_stack() -> None:
    whole = plan(parse({key.removeprefix("aihub:"): value for key, value in configuration("wsl").items()}))
    assert {target.component for target in TARGETS} - whole.pods.keys() == set()


@pytest.mark.parametrize("name", [OWN, FOREIGN])
def test_monitors_and_flows_are_the_table(name: str) -> None:
    stack = parsed(name)
    whole = plan(stack)
    expected = {(target.component, target.port): target.path for target in targets_of(stack, whole.spaces, whole.pods)}
    assert {("api", 9090), ("engine", 9090), ("redis-exporter", 9121)} <= expected.keys()
    monitors = {
        (each.object_name, endpoint["portNumber"]): endpoint["path"]
        for each in of_kind(recorded(name), "PodMonitor")
        for endpoint in each.properties["spec"]["podMetricsEndpoints"]
    }
    assert monitors == expected
    flows = {(flow.target, flow.port) for flow in whole.targets_of("prometheus") if flow.reason == "read metrics"}
    assert flows == expected.keys()


def test_a_monitor_selects_the_component_and_names_it() -> None:
    (redis,) = (each for each in of_kind(recorded(OWN), "PodMonitor") if each.object_name == "redis-exporter")
    spec = redis.properties["spec"]
    assert spec["namespaceSelector"] == {"matchNames": ["data"]}
    assert spec["selector"]["matchLabels"]["app.kubernetes.io/name"] == "redis-exporter"
    assert spec["podMetricsEndpoints"][0]["relabelings"] == [{"targetLabel": "job", "replacement": "redis-exporter"}]
    assert redis.namespace == "observability"


def test_monitors_wait_for_their_kind() -> None:
    recording = recorded(OWN)
    (release,) = (each.urn for each in recording.resources if each.name == "prometheus-stack-release")
    assert all(release in each.depends_on for each in of_kind(recording, "PodMonitor"))


def test_the_cluster_s_prometheus_finds_them_by_its_labels_and_may_ask() -> None:
    recording = recorded(FOREIGN)
    for each in [*of_kind(recording, "PodMonitor"), *of_kind(recording, "PrometheusRule")]:
        assert each.namespace == "monitoring"
        assert each.properties["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    assert not [each for each in recording.resources if each.type == "kubernetes:helm.sh/v3:Release"]
    (api,) = (each for each in of_kind(recording, "NetworkPolicy") if each.object_name == "api")
    callers = {
        peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
        for rule in api.properties["spec"]["ingress"]
        if {"protocol": "TCP", "port": 9090} in rule["ports"]
        for peer in rule["from"]
    }
    assert callers == {"monitoring"}


def test_what_is_somebody_else_s_is_not_watched() -> None:
    whole = plan(parsed(OWN))
    assert not whole.spaces[whole.pods[INGRESS].space].ours
    assert not [flow for flow in whole.flows if (flow.source, flow.target) == ("prometheus", INGRESS)]


def test_nothing_is_measured_unless_asked_for() -> None:
    recording = recorded("smallest")
    assert not [each for each in recording.resources if recording.outermost(each).type.startswith("aihub:observab")]
    assert "prometheus" not in plan(parsed("smallest")).pods


def test_alerts_leave_the_cluster_only_to_the_declared_place() -> None:
    flows = [flow for flow in plan(parsed(OWN)).targets_of("alertmanager") if flow.target == World.ANYWHERE]
    assert [flow.port for flow in flows] == [8080]


def test_traces_go_where_the_collector_listens() -> None:
    endpoint = otlp_endpoint(parsed(OWN))
    assert endpoint == "http://collector.observability.svc:4318"
    recording = recorded(OWN)
    (collector,) = (each for each in recording.resources if each.name == "collector-release")
    values = collector.properties["values"]
    assert values["fullnameOverride"] == "collector"
    assert [port["port"] for port in values["alloy"]["extraPorts"]] == [4318]
    senders = {flow.source for flow in plan(parsed(OWN)).sources_of("collector") if flow.port == 4318}
    assert senders == {"api", "engine"}
    assert otlp_endpoint(parsed(FOREIGN)) is None
