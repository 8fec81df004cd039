"""From a commit to all eight services ready, by wave, as `make live STACK=dev` measured it on this machine.

With ``--yes`` it runs that first; otherwise it writes down what the last run left.
"""

import json
import subprocess
import sys

from bench.report import table, write
from infra.aipp.plan import WAVES
from ops.paths import CHECKOUT, PRIVATE

FILE = PRIVATE / "live-dev" / "waves.json"


def rows(reached: dict[str, float]) -> list[list[str]]:
    """Return a row for each wave: who is in it, when it began and was ready, how long that took."""
    found = []
    for wave in sorted({0, *WAVES.values()}):
        who = ", ".join(service for service, its in WAVES.items() if its == wave) or "namespace, settings, secrets"
        begins, ready = reached[f"{wave} begins"], reached[f"{wave} ready"]
        found.append([str(wave), who, f"{begins:.0f}", f"{ready:.0f}", f"{ready - begins:.0f}"])
    return found


def main() -> None:
    """Write the tables."""
    if "--yes" in sys.argv:
        subprocess.run(["make", "live", "STACK=dev"], cwd=CHECKOUT, check=True)
    if not FILE.exists():
        sys.exit("nothing was measured yet: make live STACK=dev")
    figures = json.loads(FILE.read_text())
    head = ["wave", "who", "begins, s after the push", "ready, s after the push", "s of it"]
    lines = table(head, rows(figures["waves"]))
    lines += [
        "",
        "Argo CD looks at Git every 10 s here, and the services are stand-ins that start within a second or two.",
    ]
    for name in ("backup", "faults"):
        if found := figures.get(name):
            rows_found = [[what, f"{at:.0f}"] for what, at in found.items()]
            lines += ["", f"## {name.capitalize()}", "", *table(["what", "s"], rows_found)]
    write("waves", "From a commit to the eight services", "make live STACK=dev && python -m bench.waves", lines)


if __name__ == "__main__":
    main()
