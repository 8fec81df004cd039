"""Binaries this project runs: found on PATH, downloaded from the vendor, or built from their Go modules."""


class ToolchainError(Exception):
    """A tool or a package cannot be had; the message says which and why."""
