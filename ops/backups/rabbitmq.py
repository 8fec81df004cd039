"""RabbitMQ: its definitions, but for accounts.

Accounts and their rights are declared (`infra/data/rabbitmq.py`) and come back with the server itself; so no hash of a
password is in a backup. Messages are in none either: they are work on its way, and doing it twice may be worse.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from ops.backups.kinds import Content, Copy
from ops.backups.reach import Reach, run
from ops.errors import OpsError

FILE = "definitions.json"
PARTS = ("vhosts", "policies", "parameters", "global_parameters", "queues", "exchanges", "bindings")
OWN = ("vhosts", "global_parameters")
"""What every server has without anybody's doing."""


def version(reach: Reach) -> str:
    """Return the server's version."""
    return run(reach, "rabbitmqctl -q version").strip()


def content(reach: Reach) -> Content:
    """Return for each part the sums of its definitions."""
    return _content(_definitions(reach))


def dump(reach: Reach, base: Path) -> Copy:
    """Write the definitions; the server gives them as they are at one moment."""
    path, found = base.with_name(f"{base.name}.{FILE}"), _definitions(reach)
    path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    return Copy(files=(path,), content=_content(found))


def is_empty(reach: Reach) -> bool:
    """Say whether nobody has declared a queue or anything else yet."""
    found = _definitions(reach)
    return not any(found[part] for part in PARTS if part not in OWN)


def load(reach: Reach, base: Path) -> None:
    """Add what is missing and change what differs. It deletes nothing: a queue holds messages that no backup has.

    Raises:
        OpsError: the server refused a definition.
    """
    run(reach, "rabbitmqctl -q import_definitions", base.with_name(f"{base.name}.{FILE}"))


def keep(_: Reach) -> None:
    """Nothing was put aside."""


def _definitions(reach: Reach) -> dict[str, list[Any]]:
    printed = run(reach, "rabbitmqctl -q export_definitions -")
    try:
        whole = json.loads(printed)
    except ValueError:
        raise OpsError(f"{reach.name}: its definitions are no JSON: {printed[:200]}", "make verify") from None
    # Each server has a name of its own among them, which is nobody's definition.
    whole["global_parameters"] = [
        each
        for each in whole.get("global_parameters", ())
        if each.get("name") not in ("internal_cluster_id", "cluster_name", "cluster_tags")
    ]
    return {part: sorted(whole.get(part, ()), key=lambda each: json.dumps(each, sort_keys=True)) for part in PARTS}


def _content(definitions: dict[str, list[Any]]) -> Content:
    return {
        part: [hashlib.sha256(json.dumps(one).encode()).hexdigest()[:16] for one in each]
        for part, each in definitions.items()
    }
