"""The list of what must be in Vault is what the ExternalSecrets of every configuration ask for."""

import re
from pathlib import Path
from typing import Any

import pytest

from infra.config import parse
from infra.config.secret_keys import Origin
from infra.gitops import declare_workload
from infra.recorder import record
from infra.secrets.entries import Entry, entries, paths
from infra.stackfile import configuration
from tests.infra.support import CANARIES, CONFIGS, config_file

BY_AGENT = re.compile(r'secret "secret/data/([^"]+)" }}{{ \.Data\.data\.(\w+) }}')
VALID = sorted((CONFIGS / "valid").glob("*.yaml"))


def listed(config: dict[str, Any]) -> tuple[Entry, ...]:
    return entries(parse(config))


def asked(config: dict[str, Any]) -> set[tuple[str, str]]:
    objects = record(declare_workload, stack="test", config=config, secrets=CANARIES).objects()
    by_external_secrets = {
        (entry["remoteRef"]["key"], entry["remoteRef"]["property"])
        for each in objects
        if each.kind == "ExternalSecret"
        for entry in each.properties["spec"]["data"]
    }
    by_agents = {found for each in objects for found in BY_AGENT.findall(str(each.properties))}
    return by_external_secrets | by_agents


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_what_is_listed_is_what_is_asked_for(file: Path) -> None:
    # Each of them as it would be with Vault, so that every row of the table is met.
    config = {"aihub:secrets": {"vault": {"store": "vault", "path": "of-the-chat"}}} | config_file(file)
    assert {(entry.path, entry.secret.name) for entry in listed(config)} == asked(config)


def test_what_is_listed_for_dev_is_what_is_asked_for() -> None:
    config = configuration("dev")
    assert {(entry.path, entry.secret.name) for entry in listed(config)} == asked(config)


def test_the_vendors_stores_have_an_entry_each_and_a_service_names_the_rest() -> None:
    found = listed(config_file(CONFIGS / "valid" / "aipp-from-vault.yaml"))
    assert paths(found) == ("aihub", "aipp/pgvector", "aipp/redis", "aipp/rabbitmq", "aipp/services")
    (given,) = (entry for entry in found if entry.path == "aipp/services")
    assert (given.secret.name, given.secret.origin) == ("jwtSecret", Origin.GIVEN)
    assert given.secret.purpose == "JWT_SECRET of aipp.backend"


def test_the_chats_own_key_stays_where_it_is_if_a_service_names_it_too() -> None:
    config = config_file(CONFIGS / "valid" / "aipp-from-vault.yaml")
    config["aihub:aipp"]["scheduler"]["secretEnvironment"] = {"CACHE_PASSWORD": "redisPassword"}
    where = {entry.path for entry in listed(config) if entry.secret.name == "redisPassword"}
    assert where == {"aihub", "aipp/services"}
    assert ("aipp/services", "redisPassword") in asked(config)


def test_a_stack_with_its_own_secrets_lists_none() -> None:
    assert listed(config_file(CONFIGS / "valid" / "smallest.yaml")) == ()
