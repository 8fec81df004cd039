"""``python -m compose FILE [--env FILE]``: what the vendor's new package asks for, and what is declared.

Exit status: 0 nothing differs, 1 something does, 2 a file or the stack's configuration cannot be read.
"""

import argparse
import sys
from pathlib import Path

from compose import draft
from compose.compare import compare, ours, parts
from compose.declared import declared
from compose.package import PackageError, read
from infra.config import ConfigError
from toolchain import ToolchainError
from toolchain.ensure import ensure
from toolchain.tools import COMPOSE


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m compose", description=__doc__)
    parser.add_argument("file", type=Path, help="the vendor's docker-compose.yml")
    parser.add_argument("--env", type=Path, help="the variables for it, the vendor's .env")
    parser.add_argument("--stack", default="dev", help="whose declaration it is compared with")
    parser.add_argument("--draft", action="store_true", help="print a first component for each service that is new")
    options = parser.parse_args(arguments)
    try:
        reader = ensure(COMPOSE, lambda line: print(line, file=sys.stderr)) / COMPOSE.binaries[0]
        shipped = read(options.file, options.env, reader)
        here = declared(options.stack)
    except (PackageError, ConfigError, ToolchainError) as error:
        print(error, file=sys.stderr)
        return 2
    differences = compare(shipped, here)
    for each in differences:
        print(f"{each.service:<20} {each.what:<13} {each.says}")
    if options.draft:
        registry = parts(here["enai-backend"].image)[0].rpartition("/")[0]
        for service in shipped:
            if ours(service) is None:
                print(f"\n{draft.whole(service, registry)}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
