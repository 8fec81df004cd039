"""The only reader of Pulumi's configuration."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret
from pydantic import ValidationError

from infra.config.errors import did_you_mean, lines
from infra.config.secret_keys import SECRET_KEYS, required_secrets
from infra.config.stack import StackConfig

NAMESPACE = "aihub"
"""Prefix of the keys: the project's name."""

ROOMS = tuple(field.alias or name for name, field in StackConfig.model_fields.items())
"""Keys that hold an object."""


class ConfigError(pulumi.RunError):
    """The configuration is wrong; the message has one line per mistake."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = list(problems)


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """The stack's secrets, by key; empty where Vault holds them."""

    values: Mapping[str, pulumi.Output[str]]
    """Secret outputs."""


def parse(rooms: Mapping[str, Any]) -> StackConfig:
    """Return the checked configuration.

    Args:
        rooms: room -> its object, as it stands in the stack file; with ``aihub:`` before its key, or without.

    Raises:
        ConfigError: anything is wrong; every mistake is in the message, none of the values.
    """
    try:
        return StackConfig.model_validate({key.removeprefix(f"{NAMESPACE}:"): value for key, value in rooms.items()})
    except ValidationError as error:
        raise _error(lines(StackConfig, error.errors(include_input=False, include_url=False))) from None


def load() -> tuple[StackConfig, Secrets]:
    """Read the running stack's configuration.

    Raises:
        ConfigError: see :func:`parse`; also for unknown keys, missing secrets and secrets in plain text.
    """
    bag = pulumi.Config(NAMESPACE)
    rooms, problems = _rooms(bag)
    problems += _key_problems()
    stack: StackConfig | None = None
    try:
        stack = parse(rooms)
    except ConfigError as error:
        problems += error.problems
    needed = required_secrets(stack) if stack else ()
    missing = [key for key in needed if bag.get(key) is None]
    problems += [f"aihub:{key}: is required; make up makes it, or says how to set it" for key in missing]
    if problems or stack is None:
        raise _error(problems)
    return stack, Secrets(values={key: bag.require_secret(key) for key in needed})


def load_stack() -> StackConfig:
    """Read the running stack's configuration and none of its secrets, for what only compares with it.

    Raises:
        ConfigError: see :func:`parse`.
    """
    rooms, problems = _rooms(pulumi.Config(NAMESPACE))
    if problems:
        raise _error(problems)
    return parse(rooms)


def _rooms(bag: pulumi.Config) -> tuple[dict[str, Any], list[str]]:
    """Return the rooms' objects, and what cannot be read as one."""
    rooms: dict[str, Any] = {}
    problems = []
    for room in ROOMS:
        text = bag.get(room)
        try:
            rooms |= {} if text is None else {room: json.loads(text)}
        except ValueError:
            problems.append(f"aihub:{room}: must be an object, not plain text")
    return rooms, problems


def _key_problems() -> list[str]:
    """Return what is wrong with the keys as such: unknown ones, and secrets that are not encrypted."""
    given = {key.partition(":")[2] for key in CONFIG.get() if key.startswith(f"{NAMESPACE}:")}
    known = (*ROOMS, *SECRET_KEYS)
    plain = [key for key in SECRET_KEYS if key in given and not is_config_secret(f"{NAMESPACE}:{key}")]
    return [
        *(f"aihub:{key}: is not a known key{did_you_mean(key, known)}" for key in sorted(given - {*known})),
        *(f"aihub:{key}: is in plain text; take it out, then: make secret NAME={key}" for key in plain),
    ]


def _error(problems: list[str]) -> ConfigError:
    return ConfigError("The stack's configuration is wrong:\n  " + "\n  ".join(sorted(set(problems))), problems)
