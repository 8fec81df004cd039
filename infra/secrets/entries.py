"""Everything of a stack that must be in Vault: which key at which entry, what for, and where its value comes from.

The list is worked out from the table of secrets, so that a new row is in it. A test compares it with what the
ExternalSecrets of every configuration ask for.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from infra.config import StackConfig
from infra.config.aipp import STORE_SECRETS, AippConfig
from infra.config.secret_keys import SECRETS, Origin, SecretKey
from infra.config.secrets import SecretsConfig


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One key at one entry of Vault."""

    path: str
    """The entry, below the mount."""
    secret: SecretKey
    """The key, named ``secret.name``, and where its value comes from."""


def entries(stack: StackConfig) -> tuple[Entry, ...]:
    """Return what must be in Vault, entry by entry; nothing where the stack keeps its own secrets."""
    vault = stack.secrets.vault
    if not vault:
        return ()
    package = stack.aipp.vault_paths() if stack.aipp else {}
    found = [
        Entry(path=package[row.name] if row.name in STORE_SECRETS else vault.path, secret=row)
        for row in _of_table(stack)
    ]
    if stack.aipp:
        found += [Entry(path=package[row.name], secret=row) for row in _of_package(stack.aipp)]
    return tuple(sorted(found, key=lambda entry: entry.path != vault.path))  # ours first; else in the table's order


def paths(found: Iterable[Entry]) -> tuple[str, ...]:
    """Return the entries of Vault, each once."""
    return tuple(dict.fromkeys(entry.path for entry in found))


def _of_table(stack: StackConfig) -> list[SecretKey]:
    """Return the rows that a stack without Vault would need, but for those that it keeps even with one."""
    own = stack.model_copy(update={"secrets": SecretsConfig()})
    return [row for row in SECRETS if row.is_needed(own) and (row.also_in_vault or not row.is_needed(stack))]


def _of_package(config: AippConfig) -> Iterable[SecretKey]:
    """Yield what the vendor's services name that no table can know: only a person has these values."""
    variables: dict[str, list[str]] = {}
    for service, section in config.services().items():
        for variable, key in section.secret_environment.items():
            variables.setdefault(key, []).append(f"{variable} of aipp.{service}")
    for key, its in variables.items():
        if key not in STORE_SECRETS:
            yield SecretKey(name=key, purpose=", ".join(its), origin=Origin.GIVEN, is_needed=lambda _: False)
