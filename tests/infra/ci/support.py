"""What the tests of this room share."""

from functools import cache
from typing import Any
from unittest.mock import patch

from infra.config import StackConfig
from infra.config.load import parse
from infra.program import deploy
from infra.recorder import Recording, record
from infra.secrets.files import SecretFiles
from tests.infra.support import CANARIES, CONFIGS, config_file

GITEA = CONFIGS / "valid" / "ci-with-gitea.yaml"
GITLAB = CONFIGS / "valid" / "ci-with-gitlab.yaml"


def stack_of(name: str) -> StackConfig:
    """Return the configuration ``gitea`` or ``gitlab``."""
    rooms = config_file({"gitea": GITEA, "gitlab": GITLAB}[name])
    return parse(rooms)


@cache
def recorded(name: str) -> Recording:
    """Return what the whole program declares for it."""
    file = {"gitea": GITEA, "gitlab": GITLAB}[name]
    return record(deploy, stack="test", config=config_file(file), secrets=CANARIES)


@cache
def files_of_secrets(name: str) -> dict[str, frozenset[str]]:
    """Return Secret -> its files; a record says no more of a Secret than that it is one."""
    seen: dict[str, frozenset[str]] = {}
    original = SecretFiles.__init__

    def note(self: SecretFiles, secret: str, args: Any, opts: Any = None) -> None:
        seen[secret] = frozenset(args.files)
        original(self, secret, args, opts)

    with patch.object(SecretFiles, "__init__", note):
        recorded.__wrapped__(name)
    return seen
