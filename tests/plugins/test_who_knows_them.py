"""The stand-ins could be taken away: nothing but two readers of theirs would miss them (decision 0301)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from ops.paths import CHECKOUT

READERS = {"ops/differences/stateless.py", "ops/differences/objects.py"}
FOLDERS = ("bench", "cluster", "compose", "infra", "ops", "policy", "service/chatbot", "toolchain")


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_only_two_readers_import_them() -> None:
    files = [file for folder in FOLDERS for file in (CHECKOUT / folder).rglob("*.py")]
    assert len(files) > 200
    found = {
        str(file.relative_to(CHECKOUT))
        for file in files
        if any(name.split(".")[0] == "plugins" for name in imported(file))
    }
    assert found == READERS
