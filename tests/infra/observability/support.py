"""What tests of the room share."""

from collections.abc import Iterator

import promql_parser as promql

from infra.config import StackConfig, parse
from infra.observability.scope import filled
from infra.program import deploy
from infra.recorder import Recording, record
from tests.infra.support import CANARIES, CONFIGS, config_file

SCOPE = {
    **{space: f"the-{space}" for space in ("chat", "data", "aipp", "registry")},
    "ours": "the-chat|the-data",
    "log_namespace": "namespace",
    "log_container": "container",
}
"""What the questions are filled with where no stack is asked."""


def recorded(name: str) -> Recording:
    """Return what a configuration of ``configs/valid`` declares."""
    return record(deploy, stack="test", config=config_file(CONFIGS / "valid" / f"{name}.yaml"), secrets=CANARIES)


def parsed(name: str) -> StackConfig:
    """Return a configuration of ``configs/valid``."""
    config = config_file(CONFIGS / "valid" / f"{name}.yaml")
    return parse(config)


def selectors(expression: str) -> list[promql.VectorSelector]:
    """Return what a question picks out of Prometheus, in the order in which it does.

    Raises:
        ValueError: it is no PromQL.
    """
    found = []

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)

    promql.walk(promql.parse(filled(expression, SCOPE)), visit)
    return found


def metrics_in(expression: str) -> set[str]:
    """Return the metrics that a question asks for."""
    return {str(each.name) for each in selectors(expression)}


def matchers(selector: promql.VectorSelector) -> Iterator[tuple[str, str]]:
    """Yield (label, value) of each condition of a selector."""
    for each in selector.matchers.matchers:
        yield each.name, each.value
