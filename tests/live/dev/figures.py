"""What was measured; `python -m bench.waves` makes tables of it."""

import json

from ops.paths import PRIVATE

FILE = PRIVATE / "live-dev" / "waves.json"


def keep(table: str, row: str, seconds: float) -> None:
    """Write one figure beside those that are there."""
    FILE.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    whole = json.loads(FILE.read_text()) if FILE.exists() else {}
    whole.setdefault(table, {})[row] = round(seconds, 1)
    FILE.write_text(json.dumps(whole, indent=1) + "\n")
