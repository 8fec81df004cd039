"""``make vault``: what must be in Vault and what is missing; with ``FILL=1`` or ``NAME=`` a first value where none is.

What is there is never read and never written over. Values that are made here and that nobody uses but the cluster stay
in Vault alone; what people use, and of which Vault has the hash, is kept in the stack's private file.
"""

import getpass
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from infra.config.secret_keys import Origin
from infra.secrets.entries import Entry, entries, paths
from ops.clients.vault import LOGIN, Keys, Vault, from_environment
from ops.credentials import completed, keep, kept, stack_config
from ops.errors import OpsError
from ops.lock import locked
from ops.paths import StackPaths
from ops.preflight.vault import findings, missing_keys
from ops.secret import given


@dataclass(kw_only=True)
class First:
    """First values for what is missing."""

    values: dict[str, dict[str, str]] = field(default_factory=dict)
    """Entry -> key -> value."""
    kept: dict[str, str] = field(default_factory=dict)
    """What this machine keeps, by name: what people use, and what this program needs itself."""
    left: dict[str, str] = field(default_factory=dict)
    """Key -> why it has no value yet."""


def first_values(wanted: Sequence[Entry], found: Mapping[str, Keys], known: Mapping[str, str]) -> First:
    """Return first values for the keys that are missing.

    Args:
        wanted: everything that must be there.
        found: entry -> what it holds.
        known: name -> value, of what this machine keeps and what a person gave.
    """
    missing = missing_keys(wanted, found)
    names = {entry.secret.name for entry in missing}
    there = {entry.secret.name for entry in wanted if entry.path in found} - names
    first = First()
    possible: list[Entry] = []
    for entry in missing:
        why_not = _why_not(entry, wanted, there, known)
        if why_not:
            first.left[entry.secret.name] = why_not
        else:
            possible.append(entry)
    values = completed(known, [entry.secret for entry in possible])
    for entry in possible:
        first.values.setdefault(entry.path, {})[entry.secret.name] = values[entry.secret.name]
    in_vault = {entry.secret.name for entry in wanted}
    used = {entry.secret.derivation.source for entry in possible if entry.secret.derivation} - in_vault
    shared = {entry.secret.name for entry in possible if entry.secret.also_in_vault}
    first.kept = {name: values[name] for name in (used | shared)}
    return first


def _why_not(entry: Entry, wanted: Sequence[Entry], there: set[str], known: Mapping[str, str]) -> str | None:
    """Say why a missing key cannot be made here; None: it can."""
    secret = entry.secret
    if secret.origin is Origin.GIVEN:
        return None if known.get(secret.name) else "only a person has it"
    if secret.derivation and secret.derivation.source in there:
        return f"it follows {secret.derivation.source}, which is there and is not read: renew both together"
    followers = {each.secret.name for each in wanted if (of := each.secret.derivation) and of.source == secret.name}
    if followers & there:
        return f"{', '.join(sorted(followers & there))} follows it and is there already: renew both together"
    return None


def listing(wanted: Iterable[Entry], mount: str, found: Mapping[str, Keys]) -> str:
    """Return a table of what must be there, without a value; an entry that was not looked at has the state ``-``."""
    lines = [f"  {'entry':<24} {'key':<24} {'origin':<8} {'state':<8} purpose"]
    for entry in wanted:
        name, keys = entry.secret.name, found.get(entry.path)
        state = "-" if keys is None else "there" if name in keys.names else "missing"
        where = f"{mount}/{entry.path}"
        lines.append(f"  {where:<24} {name:<24} {entry.secret.origin.value:<8} {state:<8} {entry.secret.purpose}")
    return "\n".join(lines)


def run(place: StackPaths, *, fill: bool, name: str) -> int:
    """List what must be in Vault, or write what is missing; 1 where something is missing afterwards.

    Raises:
        OpsError: the stack keeps its own secrets; or Vault cannot be asked or written to.
    """
    stack = stack_config(place.stack)
    config, wanted = stack.secrets.vault, entries(stack)
    if not config:
        raise OpsError(f"stack {place.stack} keeps its own secrets, without Vault", f"make secret STACK={place.stack}")
    vault = from_environment(config)
    if not vault:
        if fill or name:
            raise OpsError("writing to Vault needs a token and VAULT_ADDR", LOGIN)
        print(listing(wanted, config.mount, {}))
        print(f"Nothing was looked for: {LOGIN}")
        return 0
    vault.demand_open()
    found = {path: vault.keys(path) for path in paths(wanted)} if fill or name else _looked(vault, wanted)
    left: dict[str, str] = {}
    if fill or name:
        with locked(place, "vault"):
            left = _fill(place, vault, wanted, found, name)
        found = {path: vault.keys(path) for path in paths(wanted)}
    print(listing(wanted, config.mount, found))
    trouble = [finding for finding in findings(place.stack, vault, wanted) if not finding.ok]
    for finding in trouble:
        print(f"{finding.name}: {finding.says}\n  -> {finding.fix}")
    for key, why in left.items():
        print(f"{key}: {why}\n  -> make vault STACK={place.stack} NAME={key}")
    return 1 if trouble else 0


def _looked(vault: Vault, wanted: Iterable[Entry]) -> dict[str, Keys]:
    """Return what the entries hold that this token may look at."""
    found = {}
    for path in paths(wanted):
        try:
            found[path] = vault.keys(path)
        except OpsError:
            continue  # named by the findings
    return found


def _asked(missing: Iterable[Entry], known: Mapping[str, str]) -> dict[str, str]:
    """Ask the person for what only a person has; an empty answer leaves it for later."""
    answers = {
        entry.secret.name: getpass.getpass(f"{entry.secret.name}, {entry.secret.purpose} (not shown; empty: later): ")
        for entry in missing
        if entry.secret.origin is Origin.GIVEN and not known.get(entry.secret.name)
    }
    return {name: value for name, value in answers.items() if value.strip()}


def _named(place: StackPaths, wanted: Sequence[Entry], name: str) -> list[Entry]:
    """Return the key of a name, and what follows it.

    Raises:
        OpsError: there is none, or it follows another.
    """
    if name not in {entry.secret.name for entry in wanted if not entry.secret.derivation}:
        choices = dict.fromkeys(entry.secret.name for entry in wanted if not entry.secret.derivation)
        raise OpsError(
            f"stack {place.stack} has no key {name!r} in Vault to give a value", f"choose one of: {', '.join(choices)}"
        )
    followers = (entry for entry in wanted if (of := entry.secret.derivation) and of.source == name)
    return [*(entry for entry in wanted if entry.secret.name == name), *followers]


def _fill(
    place: StackPaths, vault: Vault, wanted: Sequence[Entry], found: Mapping[str, Keys], name: str
) -> dict[str, str]:
    """Write first values, all or the one named; return what is left, with the reason."""
    known = kept(place)
    chosen = wanted
    if name:
        chosen = _named(place, wanted, name)
        if name not in {entry.secret.name for entry in missing_keys(chosen, found)}:
            raise OpsError(
                f"{name} is there already, and is not written over",
                f"vault kv patch -mount={vault.mount} {chosen[0].path} {name}=-   (reads the value from its input)",
            )
        known = {**known, name: given(name)}
    elif sys.stdin.isatty():
        known |= _asked(missing_keys(wanted, found), known)
    first = first_values(chosen, found, known)
    if first.kept:
        # Before Vault has the hash: a hash whose source is lost would open to nobody.
        before = kept(place)
        keep(place, {**completed(before, ()), **first.kept})
        print(f"kept in {place.secrets}, for people and for this program: {', '.join(sorted(first.kept))}")
    for path, values in first.values.items():
        version = vault.add(path, values, found[path].version)
        print(f"{vault.mount}/{path}: wrote {', '.join(values)} (version {version})")
    return first.left
