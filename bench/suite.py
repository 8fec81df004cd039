"""How long ``make test`` takes, cold and warm, part by part, from the sums that it leaves in ``.aihub/test``.

``cold`` means: an empty cache folder, no virtual environments; Debian's packages may be installed already. Keep the
sums of such a run, run ``make test`` again on the same machine, and name both files.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.report import table, write
from ops.progress import duration

Sums = Mapping[str, Any]


def lines_of(runs: Mapping[str, Sums]) -> list[str]:
    """Return the report of runs by their names, e.g. ``cold``."""
    found = []
    for name, sums in runs.items():
        counts = f"{sums['passed']} passed, {sums['failed']} failed, {sums['skipped']} skipped"
        found.append(f"{name.capitalize()}: **{duration(sums['seconds'])}**, {counts}, at {sums['commit']}.")
    parts = dict.fromkeys(part for sums in runs.values() for part in sums["parts"])
    times = [
        [part, *(duration(sums["parts"][part]) if part in sums["parts"] else "" for sums in runs.values())]
        for part in parts
    ]
    closing = "Lanes run side by side, so the parts come to more than the whole; waiting for tools is in none of them."
    return ["  \n".join(found), "", *table(["part", *runs], times), "", closing]


def main() -> None:
    """Write the report of a cold run, and of a warm one where it is named."""
    files = [Path(name) for name in sys.argv[1:]]
    if not 1 <= len(files) <= 2:
        sys.exit("python -m bench.suite COLD.json [WARM.json]: each was .aihub/test/sums.json after a `make test`")
    runs = {name: json.loads(file.read_text()) for name, file in zip(("cold", "warm"), files, strict=False)}
    measured = "; ".join(dict.fromkeys(str(sums["commit"]) for sums in runs.values()))
    write("suite", "`make test`", "make test, then python -m bench.suite", lines_of(runs), measured=measured)


if __name__ == "__main__":
    main()
