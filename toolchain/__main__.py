"""``python -m toolchain [NAME ...]``: make the named tools, or all; print where each lies."""

import sys

from toolchain.ensure import ensure
from toolchain.tools import ALL


def main() -> int:
    """Ensure the tools named on the command line."""
    wanted = sys.argv[1:]
    known = {tool.name: tool for tool in ALL}
    if unknown := [name for name in wanted if name not in known]:
        print(f"no such tool: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    for name in wanted or known:
        print(f"{name}: {ensure(known[name], lambda line: print(line, file=sys.stderr))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
