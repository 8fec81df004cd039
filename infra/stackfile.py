"""Reads a committed stack file without the engine, for `make render` and for checks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from infra.config.errors import did_you_mean
from infra.config.load import ConfigError, parse
from infra.config.secret_keys import SECRET_KEYS
from infra.config.stack import StackConfig
from infra.recorder import Recording, record

CHECKOUT = Path(__file__).resolve().parent.parent


def stack_names() -> list[str]:
    """Return the stacks of this checkout, sorted."""
    return sorted(path.name.split(".")[1] for path in CHECKOUT.glob("Pulumi.*.yaml"))


def configuration(stack: str) -> dict[str, Any]:
    """Return configuration key (``aihub:data``) -> value of a stack.

    Raises:
        ConfigError: there is no such stack, or a secret of it lies there in plain text.
    """
    if stack not in stack_names():
        names = stack_names()
        raise ConfigError(f"there is no stack {stack!r}{did_you_mean(stack, names)}; stacks are {', '.join(names)}")
    whole = yaml.safe_load((CHECKOUT / f"Pulumi.{stack}.yaml").read_text())
    values: dict[str, Any] = whole["config"]
    secrets = {key: value for key, value in values.items() if key.removeprefix("aihub:") in SECRET_KEYS}
    plain = [key for key, value in secrets.items() if not (isinstance(value, dict) and set(value) == {"secure"})]
    if plain:
        raise ConfigError(
            "\n".join(f"{key}: a secret in plain text in Pulumi.{stack}.yaml" for key in plain)
            + "\nTake it out and use another value, since Git remembers this one: "
            + "; ".join(f"make secret STACK={stack} NAME={key.removeprefix('aihub:')}" for key in plain)
        )
    return {key: value for key, value in values.items() if key not in secrets}


def stack_of(name: str) -> StackConfig:
    """Return the checked configuration of a stack.

    Raises:
        ConfigError: see :func:`configuration` and :func:`infra.config.parse`.
    """
    return parse(configuration(name))


def record_stack(program: Callable[[], object], name: str) -> Recording:
    """Return what ``program`` declares for a stack, with worthless secrets."""
    return record(program, stack=name, config=configuration(name), secrets=placeholder_secrets())


def placeholder_secrets() -> dict[str, str]:
    """Return a worthless value for every secret key."""
    return {f"aihub:{key}": f"placeholder-{key}" for key in SECRET_KEYS}
