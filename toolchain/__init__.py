"""Binaries this project runs: found on PATH, downloaded from the vendor, or built from their Go modules."""

import sys

PYTHON_MINIMUM = (3, 11)

# Every command begins here, before a line that an older Python does not understand; this file is kept readable for it.
if sys.version_info < PYTHON_MINIMUM:
    sys.stderr.write(
        f"Python 3.11 or newer is needed; this is {sys.version.split()[0]} at {sys.executable}\n"
        "  -> install one, and name it: make PYTHON=python3.11 ... (Ubuntu 22.04: sudo apt-get install python3.11;\n"
        "     it will do with a cluster that you have; for a node made here it takes Debian 12 or Ubuntu 24.04)\n"
    )
    sys.exit(2)


class ToolchainError(Exception):
    """A tool or a package cannot be had; the message says which and why."""
