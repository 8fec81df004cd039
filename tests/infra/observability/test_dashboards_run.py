"""Prometheus' own tester: every picture has something to show when those that it asks for tell something."""

import re
import subprocess
from pathlib import Path

import promql_parser as promql
import pytest
import yaml

from infra.observability.dashboards.all import DASHBOARDS
from infra.observability.dashboards.grafana import Panel, Query
from infra.observability.scope import filled
from tests.infra.aipp.servers import found
from tests.infra.observability.support import SCOPE, selectors

QUESTIONS = {
    f"{dashboard.name}: {panel.title} {number}": (panel, query)
    for dashboard in DASHBOARDS
    for panel in dashboard.panels
    if panel.kind != "logs"
    for number, query in enumerate(panel.queries, start=1)
}


def an_example(matcher: promql.Matcher) -> str:
    """Return a value that a condition lets through."""
    if matcher.op in (promql.MatchOp.NotEqual, promql.MatchOp.NotRe):
        return "something"
    return matcher.value.split("|")[0].replace(".*", "x")


def series_of(query: Query) -> dict[str, str]:
    """Return series of two pods for each metric that a question asks for, all of them growing."""
    whole = {}
    legend = dict.fromkeys(re.findall(r"{{(\w+)}}", query.legend), "v")
    for selector in selectors(query.expression):
        chosen = {matcher.name: an_example(matcher) for matcher in selector.matchers.matchers}
        ends = ["+Inf", "10.0"] if str(selector.name).endswith("_bucket") else [None]
        for pod in ("one", "two"):
            for end in ends:
                labels = {"pod": pod, **({"le": end} if end else {}), **legend, "instance": pod, **chosen}
                text = ", ".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
                whole[f"{selector.name}{{{text}}}"] = "1+1x240"
    return whole


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What promtool says of all questions, each on series of its own."""
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series_of(query).items()],
            "promql_expr_test": [
                {
                    # The name is part of what promtool prints of a question that failed.
                    "expr": f'label_replace(count({filled(query.expression, SCOPE)}) > bool 0, "of", "{name}", "", "")',
                    "eval_time": "4h",
                    "exp_samples": [{"labels": f'{{of="{name}"}}', "value": 1}],
                }
            ],
        }
        for name, (_, query) in QUESTIONS.items()
    ]
    path: Path = tmp_path_factory.mktemp("dashboards") / "cases.yml"
    path.write_text(yaml.safe_dump({"rule_files": [], "evaluation_interval": "1m", "tests": tests}))
    command = [found("promtool", "prometheus"), "test", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    text = done.stdout + done.stderr
    assert (done.returncode == 0) == ("SUCCESS" in text) == ("FAILED" not in text), text
    return text


@pytest.mark.parametrize("name", QUESTIONS)
def test_shows_something(said: str, name: str) -> None:
    panel: Panel = QUESTIONS[name][0]
    assert f'"{name}"' not in said.replace("\\", ""), panel.title
