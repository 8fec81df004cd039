"""Stacks of our own for the tests of the network."""

from typing import Any

from infra.config import StackConfig, parse
from infra.program import deploy
from infra.recorder import Recording, record
from tests.infra.support import CANARIES, CONFIGS, config_file

OURS = config_file(CONFIGS / "valid" / "login-and-certificates-of-our-own.yaml")
ACME = config_file(CONFIGS / "valid" / "acme-and-a-retired-controller.yaml")
FOREIGN = config_file(CONFIGS / "valid" / "vault-and-argocd.yaml")


def stack_of(config: dict[str, Any], **network: Any) -> StackConfig:
    """Return a stack, with other fields of its network."""
    rooms = {key.removeprefix("aihub:"): value for key, value in config.items()}
    return parse({**rooms, "network": {**rooms["network"], **network}})


def declared(config: dict[str, Any]) -> Recording:
    """Return what a stack declares."""
    return record(deploy, stack="test", config=config, secrets=CANARIES)
