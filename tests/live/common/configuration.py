"""What a committed stack says, without what a node of this machine cannot keep."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.config import StackConfig, parse
from infra.stackfile import configuration

RUNS = Path(__file__).parents[1]


def kept(stack: str) -> dict[str, Any]:
    """Return a stack's configuration with the merge patch of its run, ``tests/live/<stack>/differences.yaml``."""
    return merged(configuration(stack), yaml.safe_load((RUNS / stack / "differences.yaml").read_text()))


def merged(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``target`` with a merge patch: null takes away, objects are merged, all else is replaced."""
    whole = {key: value for key, value in target.items() if patch.get(key, value) is not None or key not in patch}
    for key, value in patch.items():
        if isinstance(value, Mapping):
            whole[key] = merged(whole.get(key) or {}, value)
        elif value is not None:
            whole[key] = value
    return whole


def parsed(config: Mapping[str, Any]) -> StackConfig:
    """Return a configuration's model."""
    return parse(config)
