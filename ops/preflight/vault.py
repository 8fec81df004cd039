"""Is in Vault what External Secrets will ask for? Names of keys are compared; no value is read."""

from collections.abc import Iterable, Mapping

from infra.config import StackConfig
from infra.secrets.entries import Entry, entries, paths
from ops.clients.vault import LOGIN, Keys, Vault, from_environment
from ops.errors import OpsError
from ops.machine import Finding


def looks(name: str, stack: StackConfig) -> list[Finding]:
    """Return what is to be said about a stack's entries; nothing where it keeps its own secrets."""
    config = stack.secrets.vault
    if not config:
        return []
    vault = from_environment(config)
    if vault:
        return findings(name, vault, entries(stack))
    # What writes policies needs a token; what only names a store does not.
    says = "not looked for: VAULT_TOKEN is not set" + (
        ", and pulumi up writes policies there" if config.access else f" (make vault STACK={name} lists what must be)"
    )
    return [Finding(name="Vault", ok=config.access is None, says=says, fix=LOGIN)]


def findings(name: str, vault: Vault, wanted: Iterable[Entry]) -> list[Finding]:
    """Return whether Vault is open, and for each entry which keys are missing."""
    wanted = tuple(wanted)
    try:
        vault.demand_open()
    except OpsError as error:
        return [_trouble("Vault", error)]
    found = [Finding(name="Vault", ok=True, says=f"{vault.address} is open")]
    for path in paths(wanted):
        of_path = [entry.secret.name for entry in wanted if entry.path == path]
        try:
            keys = vault.keys(path)
        except OpsError as error:
            found.append(_trouble(f"Vault {path}", error))
            continue
        found.append(_compared(name, path, of_path, keys))
    return found


def _compared(name: str, path: str, wanted: list[str], keys: Keys) -> Finding:
    missing = [key for key in wanted if key not in keys.names]
    if missing and not keys.version:
        says = f"there is no such entry; it must have: {', '.join(missing)}"
    elif missing:
        says = f"missing: {', '.join(missing)}"
    else:
        says = f"has {', '.join(wanted)}"
    return Finding(name=f"Vault {path}", ok=not missing, says=says, fix=f"make vault STACK={name} FILL=1")


def _trouble(name: str, error: OpsError) -> Finding:
    return Finding(name=name, ok=False, says=error.problem, fix=error.fix)


def missing_keys(wanted: Iterable[Entry], found: Mapping[str, Keys]) -> list[Entry]:
    """Return what is not there, of the entries that could be looked at."""
    return [entry for entry in wanted if entry.path in found and entry.secret.name not in found[entry.path].names]
