"""A stack's configuration: every good file loads, every bad one says what is wrong with it."""

from pathlib import Path

import pytest

from infra.config import ConfigError, StackConfig, load, parse
from infra.config.aipp_services import holds_secret
from infra.config.types import is_floating
from infra.recorder import record
from tests.infra.support import CANARIES, CONFIGS, config_file


def loaded(path: Path, secrets: dict[str, str] = CANARIES) -> None:
    record(load, stack="test", config=config_file(path), secrets=secrets)


@pytest.mark.parametrize("path", sorted((CONFIGS / "valid").glob("*.yaml")), ids=lambda path: path.stem)
def test_valid(path: Path) -> None:
    loaded(path)


@pytest.mark.parametrize("path", sorted((CONFIGS / "invalid").glob("*.yaml")), ids=lambda path: path.stem)
def test_invalid_says_every_mistake_and_nothing_else(path: Path) -> None:
    expected = [
        line.removeprefix("# expect: ") for line in path.read_text().splitlines() if line.startswith("# expect")
    ]
    with pytest.raises(ConfigError) as caught:
        loaded(path)
    assert sorted(set(caught.value.problems)) == sorted(expected)
    assert all(problem in str(caught.value) for problem in expected)
    assert "hunter2" not in str(caught.value)


def test_missing_secrets_are_named_together() -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(CONFIGS / "valid" / "smallest.yaml", {"aihub:engineKey": "canary"})
    assert caught.value.problems == [
        "aihub:redisPassword: is required; make up makes it, or says how to set it",
        "aihub:apiKeySha256: is required; make up makes it, or says how to set it",
    ]


def test_secret_in_plain_text_is_refused_without_being_quoted() -> None:
    config = config_file(CONFIGS / "valid" / "smallest.yaml")
    with pytest.raises(ConfigError) as caught:
        record(
            load,
            stack="test",
            config={**config, "aihub:redisPassword": "hunter2"},
            secrets={key: value for key, value in CANARIES.items() if key != "aihub:redisPassword"},
        )
    assert caught.value.problems == [
        "aihub:redisPassword: is in plain text; take it out, then: make secret NAME=redisPassword"
    ]
    assert "hunter2" not in str(caught.value)


def test_vault_needs_no_secret_in_the_stack() -> None:
    loaded(CONFIGS / "valid" / "vault-and-argocd.yaml", {})


def test_misspelt_secret_is_an_unknown_key() -> None:
    with pytest.raises(ConfigError, match=r"aihub:redisPasword: is not a known key \(did you mean redisPassword\?\)"):
        loaded(CONFIGS / "valid" / "smallest.yaml", {**CANARIES, "aihub:redisPasword": "canary"})


@pytest.mark.parametrize(
    ("tag", "floating"),
    [
        *((tag, True) for tag in ("latest", "Latest", "main-latest", "latest-dev", "dev", "develop", "head")),
        *((tag, True) for tag in ("1.0-SNAPSHOT", "stable-alpine")),
        *((tag, False) for tag in ("v1.0.0", "0.8.1-pg17", "3.13.7-management", "bookworm", "main-3f2a1c9", "devel.1")),
    ],
)
def test_tag_that_names_another_image_tomorrow_is_told_by_its_words(tag: str, floating: bool) -> None:
    assert is_floating(tag) == floating


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("jdbc:postgresql://db:5432/aipp?user=a&password=word", True),
        ("amqp://aipp:word@rabbitmq:5672", True),
        ("redis://:word@redis:6379", True),
        ('{"spring": {"datasource": {"password": "word"}}}', True),
        ("-Xmx1g -Dapp.client_secret=word", True),
        ("jdbc:postgresql://db:5432/aipp?password=${DB_PASSWORD}", False),
        ("amqp://${USER}:${WORD}@rabbitmq", False),
        ("jdbc:postgresql://db:5432/aipp?ApplicationName=x&tcpKeepAlive=true", False),
        ("http://enai-backend:8080/people/me@example.com", False),
        ("password=", False),
    ],
)
def test_secret_inside_a_value_is_told_by_what_stands_before_it(value: str, secret: bool) -> None:
    assert holds_secret(value) == secret


def test_defaults_stand_in_the_model() -> None:
    config = config_file(CONFIGS / "valid" / "smallest.yaml")
    stack = parse(config)
    assert (stack.chat.delivery, stack.chat.api.replicas, stack.data.namespace) == ("pulumi", 2, "data")
    with pytest.raises(Exception, match="frozen"):
        stack.chat.namespace = "other"
    assert isinstance(stack, StackConfig)
