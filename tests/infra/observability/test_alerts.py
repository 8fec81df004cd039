"""Each alert says what to do about it, and asks for what exists."""

import re
from pathlib import Path

import pytest

from infra.aipp.names import FIELDS, LINKER
from infra.aipp.plan import WAVES
from infra.observability.aipp_alerts import AIPP_ALERTS
from infra.observability.alert import Alert, anchor, rule_spec
from infra.observability.alerts import ALERTS, alerts_of
from infra.observability.measured import AIPP, NODE, WORKLOAD_STATES, measured
from infra.observability.room import runbooks_of
from infra.observability.targets import TARGETS
from tests.infra.observability.known_metrics import known
from tests.infra.observability.support import SCOPE, matchers, metrics_in, parsed, recorded, selectors
from tests.infra.support import only

RUNBOOKS = Path(__file__).parents[3] / "docs/runbooks.md"
EACH = pytest.mark.parametrize("alert", ALERTS, ids=lambda each: each.name)


def paragraphs() -> dict[str, str]:
    """Return heading -> text of each paragraph of the page."""
    _, *found = re.split(r"^## ", RUNBOOKS.read_text(), flags=re.MULTILINE)
    return {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in found}


def test_each_alert_has_its_paragraph_and_each_paragraph_an_alert() -> None:
    assert sorted(paragraphs()) == sorted(alert.name for alert in ALERTS)


@pytest.mark.parametrize("heading", [alert.name for alert in ALERTS])
def test_paragraph_says_what_to_look_at_and_what_to_do(heading: str) -> None:
    text = paragraphs()[heading]
    assert "`" in text  # a command, or a field of the configuration
    assert len(text.split()) >= 20


@EACH
def test_every_metric_exists(alert: Alert) -> None:
    assert metrics_in(alert.expression)
    assert metrics_in(alert.expression) - known() == set()


@EACH
def test_belongs_to_what_is_measured(alert: Alert) -> None:
    assert alert.component in {NODE, WORKLOAD_STATES, AIPP, LINKER, *(target.component for target in TARGETS)}


@EACH
def test_job_in_the_question_is_the_component(alert: Alert) -> None:
    assert set(re.findall(r'job="([^"]+)"', alert.expression)) <= {alert.component}


OF_PLATFORMS = {"node-exporter", "cert-manager", "rollouts", "argocd", "jenkins", "gpu-exporter"}
"""Parts of which a cluster has one; where it is somebody else's, it is no target of ours and these are not declared."""


@pytest.mark.parametrize(
    "alert", [each for each in ALERTS if each.component not in OF_PLATFORMS], ids=lambda each: each.name
)
def test_others_in_the_same_prometheus_raise_no_alarm_of_ours(alert: Alert) -> None:
    for selector in selectors(alert.expression):
        namespaces = [value for label, value in matchers(selector) if label == "namespace"]
        assert len(namespaces) == 1, selector.name
        assert set(namespaces[0].split("|")) <= set(SCOPE["ours"].split("|")) | set(SCOPE.values())


def test_what_a_stack_lacks_is_not_alerted_on() -> None:
    assert {alert.name for alert in alerts_of({"redis-exporter"})} == {"RedisMemoryHigh"}
    names = {alert.name for alert in alerts_of({NODE, "engine"})}
    assert "EngineDown" in names
    assert "ApiDown" not in names


def test_each_of_the_eight_services_has_an_alert_for_its_being_away() -> None:
    asked = [
        dict(matchers(selector))
        for alert in AIPP_ALERTS
        if alert.name.endswith("Down")
        for selector in selectors(alert.expression)
    ]
    assert {each["deployment"] for each in asked if "deployment" in each} == FIELDS.keys()
    assert {each["statefulset"] for each in asked if "statefulset" in each} == WAVES.keys() - FIELDS.keys()


@pytest.mark.parametrize(("name", "linker"), [("aipp-watched-by-the-cluster", True), ("aipp-without-a-gpu", False)])
def test_a_linker_that_was_left_out_is_not_missed(name: str, linker: bool) -> None:
    names = {alert.name for alert in alerts_of(measured(parsed(name), ()))}
    assert "AippDataProcessorDown" in names
    assert ("AippLinkerDown" in names) == linker


def test_rule_links_to_the_paragraph() -> None:
    spec = only(recorded("observability-of-our-own"), "PrometheusRule")["spec"]
    rules = spec["groups"][0]["rules"]
    assert {"EngineDown", "DiskNearlyFull", "RedisMemoryHigh"} <= {rule["alert"] for rule in rules}
    assert "RolloutDegraded" not in {rule["alert"] for rule in rules}
    for rule in rules:
        assert rule["annotations"]["runbook_url"] == (
            f"https://git.example.com/aihub/aihub/src/branch/main/docs/runbooks.md#{rule['alert'].lower()}"
        )
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("ci-with-gitea", "http://git.example.com/aihub/aihub/src/branch/main/docs/runbooks.md"),
        ("ci-with-gitlab", "https://gitlab.example.com/platform/aihub/-/blob/trunk/docs/runbooks.md"),
        ("aipp-without-a-gpu", "docs/runbooks.md"),
        ("observability-of-our-own", "https://git.example.com/aihub/aihub/src/branch/main/docs/runbooks.md"),
    ],
)
def test_paragraphs_are_read_where_the_repository_is(name: str, page: str) -> None:
    assert runbooks_of(parsed(name)) == page


def test_without_an_address_the_file_is_named() -> None:
    (rule,) = rule_spec(ALERTS[:1], "docs/runbooks.md", SCOPE)["groups"][0]["rules"]
    assert (
        rule["annotations"]["runbook_url"] == f"docs/runbooks.md#{anchor(ALERTS[0])}" == "docs/runbooks.md#enginedown"
    )
