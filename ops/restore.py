"""``make restore``: put a backup back, and compare what is there then with what was copied (docs/backup.md)."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

from ops.backup import STATE, VAULT, vault_names
from ops.backups.kinds import differences, summary
from ops.backups.manifest import Manifest, Part, demand_whole, read
from ops.backups.reach import Reach
from ops.backups.stores import Store, pod_of, stores
from ops.credentials import stack_config
from ops.errors import OpsError
from ops.kubectl import Kubectl
from ops.lock import locked
from ops.paths import StackPaths
from ops.session import resume

Target = tuple[Part, Store, Reach]
"""A part of a backup, and the server that will hold it."""


def put_back(folder: Path, targets: Sequence[Target], *, replace: bool) -> list[tuple[Part, list[str], float]]:
    """Fill the stores; return for each what differs afterwards, and how long it took.

    Raises:
        OpsError: a file is broken, a store is not empty, or one could not be filled; the message says what was done.
    """
    demand_whole(folder, [part for part, _, _ in targets])
    if not replace and (full := [reach.name for _, store, reach in targets if not store.does.is_empty(reach)]):
        raise OpsError(
            f"not empty: {', '.join(full)}; nothing was changed",
            "REPLACE=yes puts the backup in the place of what they hold; INTO=NAMESPACE fills servers elsewhere",
        )
    found: list[tuple[Part, list[str], float]] = []
    for part, store, reach in targets:
        begun = time.monotonic()
        try:
            store.does.load(reach, folder / part.name)
        except OpsError as error:
            done = ", ".join(each.name for each, _, _ in found) or "nothing"
            raise OpsError(f"{error.problem}; restored before this: {done}", error.fix) from None
        wrong = differences(part.content, store.does.content(reach))
        if not wrong:
            store.does.keep(reach)
        found.append((part, wrong, time.monotonic() - begun))
        print(_line(*found[-1]), flush=True)
    return found


def chosen(manifest: Manifest, name: str) -> list[Part]:
    """Return the parts to restore: the named one, else all that servers keep.

    Raises:
        OpsError: there is none of that name.
    """
    parts = [part for part in manifest.parts if (part.name == name if name else part.name not in (STATE, VAULT))]
    if not parts:
        raise OpsError(
            f"the backup has no {name or 'store'}", f"choose one of: {', '.join(p.name for p in manifest.parts)}"
        )
    return parts


def run(place: StackPaths, folder: Path | None, *, into: str, name: str, replace: bool) -> int:
    """Restore a backup of this stack; 1 where something differs afterwards.

    Raises:
        OpsError: it cannot be restored.
    """
    if folder is None:
        raise OpsError("no backup was named", f"make restore STACK={place.stack} FROM=out/backup/{place.stack}/TIME")
    manifest = read(folder)
    if manifest.stack != place.stack:
        raise OpsError(f"{folder} is a backup of stack {manifest.stack}", f"make restore STACK={manifest.stack} ...")
    parts = chosen(manifest, name)
    with locked(place, "restore"):
        if name == STATE:
            return _state(place, folder, parts[0], replace=replace)
        if name == VAULT:
            return _vault(place, parts[0])
        kubectl, known = Kubectl.of(place), {store.name: store for store in stores(stack_config(place.stack))}
        if missing := [part.name for part in parts if part.name not in known]:
            raise OpsError(f"stack {place.stack} has no {', '.join(missing)} any more", "NAME= restores one part alone")
        targets = [
            (part, store, pod_of(kubectl, store, into or store.namespace))
            for part in parts
            for store in [known[part.name]]
        ]
        places = [reach.name for _, _, reach in targets]
        if twice := sorted({each for each in places if places.count(each) > 1}):
            raise OpsError(f"two parts would go into {', '.join(twice)}", "NAME= restores one part alone")
        found = put_back(folder, targets, replace=replace)
    wrong = [part.name for part, differs, _ in found if differs]
    print(f"Restored from {folder}: {'all of it is as it was' if not wrong else 'DIFFERS: ' + ', '.join(wrong)}")
    return 1 if wrong else 0


def _state(place: StackPaths, folder: Path, part: Part, *, replace: bool) -> int:
    demand_whole(folder, [part])
    engine = resume(place).engine
    known = json.loads(engine.ask("stack", "export"))["deployment"].get("resources") or []
    if known and not replace:
        raise OpsError(
            f"the state of stack {place.stack} knows {len(known)} resources; nothing was changed",
            "REPLACE=yes puts the backup in its place; make drift then says what differs from the cluster",
        )
    engine.ask("stack", "import", "--file", str(folder / part.files[0].name))
    now = len(json.loads(engine.ask("stack", "export"))["deployment"].get("resources") or [])
    wrong = differences(part.content, {"resources": now})
    print(_line(part, wrong, 0))
    return 1 if wrong else 0


def _vault(place: StackPaths, part: Part) -> int:
    """Compare the names that the backup lists with those that are declared now: values are Vault's own backup's."""
    names = set(part.content["entries"])
    now = set(vault_names(stack_config(place.stack)))
    for each in sorted(names ^ now):
        print(f"  {'no more' if each in names else 'new':<8} {each}")
    print(f"{len(names & now)} of {len(names)} keys are declared as they were: make vault STACK={place.stack}")
    return 1 if names - now else 0


def _line(part: Part, wrong: Sequence[str], seconds: float) -> str:
    says = "; ".join(wrong) if wrong else "as it was" if part.content else "restored; the backup has no sum to compare"
    return f"  {part.name:<14} {seconds:>7.1f} s  {'DIFFERS' if wrong else 'ok':<8} {says}  ({summary(part.content)})"
