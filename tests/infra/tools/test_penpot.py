"""Penpot: its published key is replaced, nobody registers, nothing is told home, links carry the port."""

from typing import Any

import pytest

from infra.config import parse
from infra.config.tools import PenpotConfig
from infra.plan import World
from infra.program import deploy, plan
from infra.recorder import Recording, record
from infra.tools.penpot import flags, secret_files
from tests.infra.support import CANARIES, CONFIGS, config_file, of_kind

PUBLISHED_KEY = "kmZ96pAxhTgk"
"""How the key begins that the chart's values.yaml gives to everybody."""
FILE = CONFIGS / "valid" / "penpot.yaml"


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record(deploy, stack="test", config=config_file(FILE), secrets=CANARIES)


@pytest.fixture(scope="module")
def values(recording: Recording) -> dict[str, Any]:
    (release,) = (each for each in recording.resources if each.name == "penpot-release")
    return dict(release.properties["values"])


def test_key_passwords_and_addresses_come_from_a_secret(recording: Recording, values: dict[str, Any]) -> None:
    config = values["config"]
    (secret,) = (each for each in of_kind(recording, "Secret") if each.object_name == "penpot-secrets")
    files = secret_files(parsed())
    assert secret.namespace == "tools"
    for section in (config, config["postgresql"], config["redis"]):
        assert section["existingSecret"] == "penpot-secrets"
        assert set(section["secretKeys"].values()) <= files.keys()
    assert config["secretKeys"] == {"apiSecretKey": "secret-key"}
    assert PUBLISHED_KEY not in str(values)
    assert "canary" not in str(values)


def parsed(**more: Any) -> PenpotConfig:
    config = config_file(FILE)
    config["aihub:tools"]["penpot"] |= more
    penpot = parse(config).tools.penpot
    assert penpot
    return penpot


def test_messages_go_to_the_database_that_is_named() -> None:
    assert secret_files(parsed())["redis-uri"] == "redis://:${penpotRedisPassword}@valkey.example.com:6379/3"


def test_links_carry_the_port_and_nothing_is_told_home(values: dict[str, Any]) -> None:
    assert values["config"]["publicUri"] == "http://draw.aihub.local:31302"
    assert values["config"]["telemetryEnabled"] is False


def test_nobody_registers_unless_the_stack_says_so() -> None:
    closed = flags(parsed(), "https://draw.aihub.local").split()
    assert {"disable-registration", "enable-prepl-server"} <= set(closed)  # else nobody could make an account at all
    assert "enable-registration" in flags(parsed(registration=True), "https://draw.aihub.local")


@pytest.mark.parametrize(
    ("url", "is_plain"), [("http://draw.aihub.local:31302", True), ("https://d.example.com", False)]
)
def test_cookies_are_secure_where_the_page_is(url: str, is_plain: bool) -> None:
    assert ("disable-secure-session-cookies" in flags(parsed(), url)) is is_plain


def test_pods_are_restricted_and_bounded(values: dict[str, Any]) -> None:
    for part in ("backend", "frontend", "exporter"):
        assert values[part]["containerSecurityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert values[part]["containerSecurityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert values[part]["resources"]["limits"]["memory"]
        assert values[part]["podAnnotations"]["aihub/secrets-version"]


def test_its_parts_reach_each_other_and_its_stores_only() -> None:
    whole = plan(parse(config_file(FILE)))
    outward = {
        (flow.source, flow.port)
        for flow in whole.flows
        if flow.target == World.ANYWHERE and flow.source.startswith("penpot")
    }
    assert outward == {("penpot-backend", 5432), ("penpot-backend", 6379), ("penpot-exporter", 6379)}


def test_off_unless_named() -> None:
    smallest = record(deploy, stack="test", config=config_file(CONFIGS / "valid" / "smallest.yaml"), secrets=CANARIES)
    assert not [each for each in smallest.resources if each.type.startswith("aihub:tools")]
