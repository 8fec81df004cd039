"""What tests of the room share."""

import re

from infra.config import StackConfig, parse
from infra.program import deploy
from infra.recorder import Recording, record
from tests.infra.support import CANARIES, CONFIGS, config_file

METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_QUOTED = re.compile(r'"[^"]*"')
_BRACES = re.compile(r"\{[^}]*\}")
_GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_DURATION = re.compile(r"\[[^\]]*\]")
WORDS = frozenset(
    {"absent", "avg", "histogram_quantile", "increase", "max", "min", "rate", "sum", "time", "topk"}
    | {"and", "or", "unless", "bool", "offset", "le"}
)
"""PromQL's own words that our questions use."""


def recorded(name: str) -> Recording:
    """Return what a configuration of ``configs/valid`` declares."""
    return record(deploy, stack="test", config=config_file(CONFIGS / "valid" / f"{name}.yaml"), secrets=CANARIES)


def parsed(name: str) -> StackConfig:
    """Return a configuration of ``configs/valid``."""
    config = config_file(CONFIGS / "valid" / f"{name}.yaml")
    return parse({key.removeprefix("aihub:"): value for key, value in config.items()})


def metrics_in(expression: str) -> set[str]:
    """Return the metrics that a PromQL expression asks for."""
    bare = _DURATION.sub("", _GROUPING.sub("", _BRACES.sub("", _QUOTED.sub("", expression))))
    return {word for word in METRIC.findall(bare) if word not in WORDS}
