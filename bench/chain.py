"""From a pushed commit to a new answer, by stage, as `make live STACK=wsl` measured it on this machine.

With ``--yes`` it runs that first; otherwise it writes down what the last run left.
"""

import json
import subprocess
import sys
from itertools import pairwise

from bench.report import table, write
from ops.paths import CHECKOUT, PRIVATE

FILE = PRIVATE / "live" / "chain.json"
WHAT = {
    "webhook": "the Git server's webhook has arrived and its signature is right",
    "image": "the build pod has fetched, built and pushed the image",
    "tag in Git": "the new tag stands in the overlay",
    "refused by the registry": "the build has ended with the registry's refusal, after three more tries of its own",
    "Argo CD is back": "its pods are ready again; before, a wait of 20 s shows that nothing moves without them",
    "compared": "Argo CD, which Gitea's webhook has told, has compared the cluster with the commit",
    "synced": "Argo CD has brought the tag to the workload",
    "first new answer": "a visitor gets an answer of the new version, from its first pod",
    "rolled out": "the new version serves alone",
    "sent back": "the rollout of the bad version has been aborted",
    "refused": "the ImageUpdater in the cluster refuses the bad tag",
    "good tag in Git": "Git names the good tag again",
    "good tag in the cluster": "Argo CD has brought the good tag back: Git and cluster agree",
}


def rows(stages: dict[str, float]) -> list[list[str]]:
    """Return a row for each stage: what it is, when it was reached, how long it took."""
    ordered = sorted(stages.items(), key=lambda item: item[1])
    before = [("push", 0.0), *ordered]
    return [
        [name, WHAT.get(name, ""), f"{at:.0f}", f"{at - previous:.0f}"]
        for (_, previous), (name, at) in pairwise(before)
    ]


def main() -> None:
    """Write the table."""
    if "--yes" in sys.argv:
        subprocess.run(["make", "live", "STACK=wsl"], cwd=CHECKOUT, check=True)
    if not FILE.exists():
        sys.exit("nothing was measured yet: make live STACK=wsl")
    lines: list[str] = []
    for name, stages in json.loads(FILE.read_text()).items():
        head = ["stage", "reached when", "s after the push", "s of it"]
        lines += [f"## {name[0].upper()}{name[1:]}", "", *table(head, rows(stages)), ""]
    write("chain", "From a pushed commit to a new answer", "make live STACK=wsl && python -m bench.chain", lines)


if __name__ == "__main__":
    main()
