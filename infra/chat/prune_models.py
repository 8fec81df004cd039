"""Deletes from the model store what is neither listed nor serving. Runs in a pod; standard library only.

Usage: prune_models.py --store DIR --engine URL --key-file FILE [--keep FOLDER ...]

The engine itself is asked what it serves: a list can be ahead of it, an engine that does not answer may be starting
with any of them. Then nothing is deleted. Exit status 0: only what is listed or serving is left.
"""

import argparse
import json
import re
import shutil
import sys
import urllib.request
from http.client import HTTPException
from pathlib import Path

TIMEOUT_SECONDS = 10
FOLDER = re.compile(r"(?P<version>[a-z0-9-]+)-[0-9a-f]{12}")
"""What the download makes; anything else in the store is somebody's own."""


def serving(engine: str, key_file: Path) -> set[str]:
    """Return the names of the versions that the engine serves.

    Raises:
        OSError, HTTPException, ValueError, KeyError: it does not say.
    """
    headers = {"Authorization": f"Bearer {key_file.read_text().strip()}"}
    request = urllib.request.Request(f"{engine}/models", headers=headers)  # noqa: S310 - the scheme is configured
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
        return {str(model["id"]) for model in json.load(response)["data"]}


def main(store: Path, served: set[str], keep: set[str]) -> None:
    """Delete the folders of other versions."""
    for folder in sorted(store.iterdir()):
        version = FOLDER.fullmatch(folder.name)
        if not folder.is_dir() or version is None:
            continue
        if folder.name in keep or version["version"] in served:
            print(f"{folder.name}: kept", flush=True)
            continue
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        shutil.rmtree(folder)
        print(f"{folder.name}: deleted, {size / 1e9:.1f} GB", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--keep", action="append", default=[])
    options = parser.parse_args()
    try:
        main(options.store, serving(options.engine, options.key_file), set(options.keep))
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        sys.exit(f"{error}: nothing more is deleted; {options.engine} must answer, and the store must be writable")
