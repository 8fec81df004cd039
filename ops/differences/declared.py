"""Prints everything that one checkout declares for a stack, as JSON: ``declared.py STACK``.

Run as a script of this checkout in another one's folder, so that two commits are read in the same way. It uses nothing
but ``infra`` of the folder it runs in; no engine, no cluster, no secret.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from infra.gitops import render
from infra.program import deploy
from infra.stackfile import record_stack


def declared(stack: str) -> Iterator[dict[str, Any]]:
    """Yield ``{"type", "name", "content", "retained", "owner"}`` of everything but components."""
    recording = record_stack(deploy, stack)
    for each in recording.resources:
        if each.custom:
            yield {
                "type": each.type,
                "name": each.name,
                "content": each.properties,
                "retained": each.retained,
                "owner": "Pulumi",
            }
    with tempfile.TemporaryDirectory(prefix="aihub-render-") as folder:
        render(stack, Path(folder))
        # Applications below bootstrap/ are Pulumi's, too; overlays are written once, then by others.
        for path in sorted(Path(folder).glob("**/base/*.yaml")):
            for content in yaml.safe_load_all(path.read_text()):
                if content and content.get("metadata"):
                    yield {"type": "", "name": "", "content": content, "retained": False, "owner": "Argo CD"}


if __name__ == "__main__":
    json.dump(list(declared(sys.argv[1])), sys.stdout)
