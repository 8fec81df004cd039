"""``python -m ops.preflight STACK [--json]``: what a stack needs, looked for on this machine."""

import argparse
import json
import sys
from dataclasses import asdict

from ops.errors import OpsError
from ops.preflight.run import of_stack


def main() -> int:
    """Print the findings; 1 where something is missing, 2 where the stack cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m ops.preflight", description=__doc__)
    parser.add_argument("stack")
    parser.add_argument("--json", action="store_true", help="for machines: a list of findings")
    arguments = parser.parse_args()
    try:
        found = of_stack(arguments.stack)
    except OpsError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in found]))
        return 0
    for finding in found:
        print(f"  {'ok  ' if finding.ok else 'LACK'}  {finding.name:<26} {finding.says}")
        if not finding.ok:
            print(f"        {'':<26} -> {finding.fix}")
    return 0 if all(finding.ok for finding in found) else 1


if __name__ == "__main__":
    sys.exit(main())
