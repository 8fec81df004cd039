"""The secrets of one installation: generated once, kept in one private file, never in Git."""

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ops.errors import OpsError
from ops.paths import StackPaths


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Everything secret that a stack needs."""

    passphrase: str
    """Encrypts the stack's configuration and state."""
    api_key: str
    """Opens the chat; only its SHA-256 reaches the cluster."""
    redis_password: str
    """Between the api and Redis."""
    engine_key: str
    """Between the api and its engine."""

    def stack_secrets(self) -> dict[str, str]:
        """Return the values of the stack's secret configuration keys."""
        return {
            "redisPassword": self.redis_password,
            "engineKey": self.engine_key,
            "apiKeySha256": hashlib.sha256(self.api_key.encode()).hexdigest(),
        }


def generated() -> Credentials:
    """Return fresh credentials of 256 bits each; the API key is marked as what it is."""
    values = {field.name: secrets.token_urlsafe(32) for field in fields(Credentials)}
    return Credentials(**{**values, "api_key": f"aihub-{values['api_key']}"})


def placeholders() -> Credentials:
    """Return worthless credentials, for previews and rendering; they never open anything."""
    return Credentials(**{field.name: f"placeholder-{field.name}" for field in fields(Credentials)})


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


def load_or_make(paths: StackPaths) -> Credentials:
    """Return the stack's credentials, making them the first time.

    Raises:
        OpsError: the file is there but not whole; it is never overwritten, since the state depends on it.
    """
    if not paths.secrets.exists():
        write_private(paths.secrets, json.dumps(asdict(generated()), indent=1) + "\n")
    try:
        credentials = Credentials(**json.loads(paths.secrets.read_text()))
    except (ValueError, TypeError):
        raise OpsError(
            f"{paths.secrets} is not the JSON object that `make up` wrote",
            "restore it from a backup; without it the stack's state cannot be decrypted "
            f"(to begin anew, losing that state: make destroy, then remove {paths.directory})",
        ) from None
    write_private(paths.passphrase, credentials.passphrase)
    write_private(paths.api_key, credentials.api_key + "\n")
    return credentials
