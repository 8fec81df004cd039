"""Stand-ins for Pulumi's resource plugins, for machines that cannot reach the vendor's.

The engine finds them on PATH as ``pulumi-resource-<name>``: those of ``plugins/bin`` really act (``kubernetes``,
``docker-build``), those of ``plugins/bin/preview`` only show what a program declares. Nothing else in the project knows
them but ``make diff`` and ``make drift`` (decision 0301). Where the vendor's plugins are to be had they are not used.
"""

from collections.abc import Iterable
from pathlib import Path

_PREVIEW_LAUNCHER = Path(__file__).resolve().parent / "launch-preview"


def install(directory: Path, names: Iterable[str]) -> None:
    """Put a preview-only stand-in for each named provider into a folder meant for PATH; those there are kept."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        link = directory / f"pulumi-resource-{name}"
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(_PREVIEW_LAUNCHER)
