"""The secrets of one installation: made once, kept in one private file, never in Git."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import bcrypt

from infra.config import ConfigError, StackConfig
from infra.config.secret_keys import SECRETS, Derivation, Hash, Origin, SecretKey
from infra.program import plan
from infra.stackfile import stack_of
from ops import signing_key
from ops.errors import OpsError
from ops.paths import StackPaths

PASSPHRASE = "passphrase"  # noqa: S105 - its name
API_KEY = "apiKey"
LOCAL = {
    PASSPHRASE: "encrypts this stack's configuration and state",
    API_KEY: "opens the chat; the cluster only gets its hash",
}
"""Secrets that stay in this folder: name -> what for."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Everything secret that a stack needs."""

    values: Mapping[str, str]
    """Name -> value; also the secrets that people use, from which others are derived."""
    wanted: tuple[SecretKey, ...] = ()
    """The rows of the table of secrets that the stack needs."""

    @property
    def passphrase(self) -> str:
        """Encrypts the stack's configuration and state."""
        return self.values[PASSPHRASE]

    @property
    def api_key(self) -> str:
        """Opens the chat."""
        return self.values[API_KEY]

    def stack_secrets(self) -> dict[str, str]:
        """Return the values of the stack's secret configuration keys."""
        return {secret.name: self.values[secret.name] for secret in self.wanted}


def stack_config(stack: str) -> StackConfig:
    """Return the committed configuration of a stack.

    Raises:
        OpsError: it is wrong; every mistake is in the message.
    """
    try:
        found = stack_of(stack)
        plan(found)  # says what only the whole tells: that two parts would share a namespace
    except ConfigError as error:
        raise OpsError(str(error), f"correct Pulumi.{stack}.yaml") from None
    return found


def wanted_by(stack: StackConfig) -> tuple[SecretKey, ...]:
    """Return the secrets that a stack needs."""
    return tuple(secret for secret in SECRETS if secret.is_needed(stack))


def completed(known: Mapping[str, str], wanted: Iterable[SecretKey], user: str = "") -> dict[str, str]:
    """Return ``known`` and what was missing in it: random values are made, derived ones follow their source.

    Args:
        known: name -> value, as it was.
        wanted: what the stack needs; given ones stay missing where they are.
        user: name in the line of a derived account.
    """
    values = {name: known.get(name) or _random(name) for name in LOCAL}
    rows = sorted(wanted, key=lambda secret: secret.derivation is not None)
    for secret in rows:
        if secret.derivation:
            source = secret.derivation.source
            if source not in values and source in {other.name for other in rows if other.origin is Origin.GIVEN}:
                continue  # not given yet
            values.setdefault(source, known.get(source) or _random(source))
            old = known.get(secret.name)
            fits = old is not None and _follows(old, secret.derivation, values[source], user)
            values[secret.name] = old if fits and old else _derived(secret.derivation, values[source], user)
        elif secret.origin is Origin.RANDOM or known.get(secret.name):
            values[secret.name] = known.get(secret.name) or _random(secret.name)
    return {**known, **values}


def _random(name: str) -> str:
    """Return 256 random bits; the API key is marked as what it is."""
    value = secrets.token_urlsafe(32)
    # Harbor takes no password without all three; one in 1400 has no digit.
    if not all(any(kind(letter) for letter in value) for kind in (str.isupper, str.islower, str.isdigit)):
        return _random(name)
    return ("aihub-" if name == API_KEY else "") + value


def _derived(derivation: Derivation, source: str, user: str) -> str:
    match derivation.hash:
        case Hash.SHA256:
            return hashlib.sha256(source.encode()).hexdigest()
        case Hash.BCRYPT:
            return bcrypt.hashpw(source.encode(), bcrypt.gensalt()).decode()
        case Hash.COSIGN:
            return signing_key.make(source)
        case Hash.HTPASSWD:
            return f"{user}:{bcrypt.hashpw(source.encode(), bcrypt.gensalt()).decode()}"


def _follows(old: str, derivation: Derivation, source: str, user: str) -> bool:
    """Say whether ``old`` still belongs to its source: a salted hash is another one each time it is made."""
    if derivation.hash is Hash.SHA256:
        return old == _derived(derivation, source, user)
    if derivation.hash is Hash.COSIGN:
        return signing_key.public_half(old, source) is not None
    name, _, hashed = old.rpartition(":")
    try:
        return name == (user if derivation.hash is Hash.HTPASSWD else "") and bcrypt.checkpw(
            source.encode(), hashed.encode()
        )
    except ValueError:
        return False


def placeholders(stack: StackConfig) -> Credentials:
    """Return worthless credentials, for previews and rendering; they never open anything."""
    wanted = wanted_by(stack)
    names = [*LOCAL, *(secret.name for secret in wanted)]
    return Credentials(values={name: f"placeholder-{name}" for name in names}, wanted=wanted)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def kept(paths: StackPaths) -> dict[str, str]:
    """Return the secrets that were made or given before.

    Raises:
        OpsError: the file is there but not whole; it is never overwritten, since the state depends on it.
    """
    if not paths.secrets.exists():
        return {}
    try:
        found = json.loads(paths.secrets.read_text())
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise OpsError(
            f"{paths.secrets} is not the JSON object that `make up` wrote",
            "restore it from a backup; without it the stack's state cannot be decrypted "
            f"(to begin anew, losing that state: make destroy, then remove {paths.directory})",
        )
    return found


def keep(paths: StackPaths, values: Mapping[str, str]) -> None:
    """Write the secrets down, and those that other programs read into files of their own."""
    write_private(paths.secrets, json.dumps(dict(values), indent=1, sort_keys=True) + "\n")
    write_private(paths.passphrase, values[PASSPHRASE])
    write_private(paths.api_key, values[API_KEY] + "\n")
    if public := signing_key.public_half(values.get("cosignKey", ""), values.get("cosignPassword", "")):
        write_private(paths.signing_key, public)


def load_or_make(paths: StackPaths, stack: StackConfig | None = None) -> Credentials:
    """Return a stack's credentials, making what is missing.

    Args:
        paths: where they are kept.
        stack: its configuration; None: only what stays in this folder is wanted.

    Raises:
        OpsError: the file is broken, or somebody else's secrets were not given yet; all of them are named.
    """
    wanted = wanted_by(stack) if stack else ()
    user = (stack.registry.username or "") if stack else ""
    before = kept(paths)
    values = completed(before, wanted, user)
    if values != before or not (paths.passphrase.exists() and paths.api_key.exists()):
        keep(paths, values)
    missing = [secret for secret in wanted if secret.name not in values]
    if missing:
        names = "\n".join(f"  {secret.name}: {secret.purpose}" for secret in missing if not secret.derivation)
        raise OpsError(
            f"stack {paths.stack} needs secrets that only you have:\n{names}",
            f"for each: make secret STACK={paths.stack} NAME=...",
        )
    return Credentials(values=values, wanted=wanted)
