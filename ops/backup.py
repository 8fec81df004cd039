"""``make backup``: a copy of everything that nobody can make again, in one folder (docs/backup.md)."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from infra.config import StackConfig
from infra.secrets.entries import entries
from ops.backups.kinds import Copy, summary
from ops.backups.manifest import Manifest, Part, Watch
from ops.backups.reach import Reach
from ops.backups.stores import Store, pod_of, stores
from ops.credentials import stack_config
from ops.engine import Engine
from ops.errors import OpsError
from ops.lock import locked
from ops.paths import CHECKOUT, StackPaths
from ops.progress import duration
from ops.session import resume

STATE, VAULT = "pulumi-state", "vault-list"
SECRETS = (
    "no password, key or token of the stack; Pulumi's state has them encrypted, and the passphrase is not here. "
    "What people wrote is readable: keep this folder as private as the chat itself"
)


def copy_store(store: Store, reach: Reach, folder: Path) -> Part:
    """Copy one store into the folder."""
    watch, version = Watch(), store.does.version(reach)
    copy = store.does.dump(reach, folder / store.name)
    return watch.part(copy, name=store.name, kind=store.kind, source=reach.name, version=version)


def write(
    folder: Path, stack: str, stores_there: Iterable[tuple[Store, Reach]], others: Callable[[Path], Iterable[Part]]
) -> Manifest:
    """Write a backup; under its name only once it is whole.

    Args:
        folder: where it will be.
        stack: whose it is.
        stores_there: each store and its server.
        others: writes what no server keeps.

    Raises:
        OpsError: something could not be copied; nothing is left of this backup.
    """
    if folder.exists():
        raise OpsError(f"{folder} is there already", "name another folder: OUT=...")
    watch, half = Watch(), folder.with_name(f".{folder.name}.part")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        half.mkdir(mode=0o700)
        parts = []
        for store, reach in stores_there:
            parts.append(copy_store(store, reach, half))
            print(_line(parts[-1]), flush=True)
        for part in others(half):
            parts.append(part)
            print(_line(part), flush=True)
        found = Manifest(stack=stack, begun=watch.moment, seconds=watch.seconds, parts=parts, secrets=SECRETS)
        found.write(half)
        for path in half.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        half.rename(folder)
    except OSError as error:
        raise OpsError(
            f"{folder} cannot be written: {error.strerror or error}", "make room, or name another: OUT=..."
        ) from None
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return found


def run(place: StackPaths, out: Path | None) -> int:
    """Back a running stack up.

    Raises:
        OpsError: it is not up, or something could not be copied.
    """
    stack = stack_config(place.stack)
    folder = (out or CHECKOUT / "out" / "backup" / place.stack) / datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    old_mask = os.umask(0o077)
    try:
        with locked(place, "backup"):
            session = resume(place)
            found = [(store, pod_of(session.kubectl, store, store.namespace)) for store in stores(stack)]
            others = partial(_without_server, place, stack, session.engine)
            done = write(folder, place.stack, found, others)
    finally:
        os.umask(old_mask)
    print(f"Backup: {folder} ({duration(done.seconds)})")
    print(f"In it: {SECRETS}.")
    return 0


def vault_names(stack: StackConfig) -> list[str]:
    """Return which keys must be in Vault; nothing where the stack keeps its own secrets."""
    vault = stack.secrets.vault
    return [f"{vault.mount}/{entry.path}: {entry.secret.name}" for entry in entries(stack)] if vault else []


def _without_server(place: StackPaths, stack: StackConfig, engine: Engine, half: Path) -> Iterator[Part]:
    """Write Pulumi's state, and the names of what is in Vault."""
    watch, path = Watch(), half / f"{STATE}.json"
    path.write_text(engine.ask("stack", "export"))
    content = {"resources": len(json.loads(path.read_text())["deployment"].get("resources") or [])}
    yield watch.part(Copy(files=(path,), content=content), name=STATE, kind="state", source=place.stack)
    if names := vault_names(stack):
        watch, path = Watch(), half / f"{VAULT}.json"
        path.write_text(json.dumps(names, indent=1) + "\n")
        yield watch.part(Copy(files=(path,), content={"entries": names}), name=VAULT, kind="vault", source="Vault")


def _line(part: Part) -> str:
    size = sum(file.bytes for file in part.files)
    text = f"  {part.name:<14} {size:>12} bytes  {part.seconds:>7.1f} s  {summary(part.content)}"
    return f"{text}  ({part.remark})" if part.remark else text
