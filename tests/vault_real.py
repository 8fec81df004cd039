"""Vault itself, where it was built: `make test ONLY=vault`."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import hvac
import pytest

from tests.vault_stand_in import MOUNTS
from toolchain.ensure import ready
from toolchain.tools import VAULT


@contextmanager
def real() -> Iterator[tuple[str, str]]:
    """Run a server of its own in memory; yield its address and the token that may do everything."""
    place = ready(VAULT)
    if place is None:
        pytest.skip("Vault is not built: make test ONLY=vault")
    command = [str(place / VAULT.binaries[0])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout
        told = json.loads(server.stdout.readline())
        root = hvac.Client(url=told["address"], token=told["token"])
        for mount, version in MOUNTS.items():
            root.sys.enable_secrets_engine("kv", path=mount, options={"version": version})
        _settled(root)
        yield told["address"], told["token"]
        server.stdin.close()  # which ends it


def _settled(root: hvac.Client) -> None:
    """Wait until the engine has become one of version 2: it refuses everything while it does."""
    for _ in range(100):
        try:
            root.secrets.kv.v2.create_or_update_secret("first", {"a": "b"})
        except hvac.exceptions.InvalidRequest:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the key-value engine did not become one of version 2")
