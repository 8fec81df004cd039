"""What `make destroy VOLUMES=delete` takes away, and what it leaves where another stack lives on the same node."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster import node
from ops import access, destroy
from ops.paths import StackPaths

KUBECTL = """\
#!/bin/sh
echo "$@" >> {folder}/calls
case "$*" in
"get pvc"*) printf 'data redis\\nshop redis\\n' ;;
"get namespaces"*) printf '{others}' ;;
esac
"""


@dataclass(frozen=True)
class Paths(StackPaths):
    """A stack in a folder of its own."""

    folder: Path = Path()

    @property
    def directory(self) -> Path:
        directory = self.folder / "private"
        directory.mkdir(exist_ok=True)
        return directory


def destroyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: str) -> tuple[list[str], list[str]]:
    """Destroy a stack with its volumes; return the deleted namespaces, and "node" where that is gone."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL.format(folder=tmp_path, others=others))
    kubectl.chmod(0o755)
    engine = SimpleNamespace(environment=lambda: {}, run=lambda *_: None)
    session = SimpleNamespace(engine=engine, outputs={"namespaces": {"chat": "chat"}})
    gone: list[str] = []
    monkeypatch.setattr(destroy, "resume", lambda _: session)
    monkeypatch.setattr(access, "kubectl", lambda: kubectl)
    monkeypatch.setattr(access, "of_stack", lambda _: SimpleNamespace(own_node=True))
    monkeypatch.setattr(node, "reset", lambda _: gone.append("node"))
    assert destroy.run(Paths("test", folder=tmp_path), delete_volumes=True) == 0
    deletions = [line.split() for line in (tmp_path / "calls").read_text().splitlines() if line.startswith("delete")]
    return [words[2] for words in deletions], gone


def test_a_stack_alone_takes_volumes_namespaces_and_node_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert destroyed(tmp_path, monkeypatch, others="") == (["chat", "data", "shop"], ["node"])


def test_another_stack_on_the_node_keeps_its_volumes_and_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert destroyed(tmp_path, monkeypatch, others="namespace/shop\\n") == (["chat", "data"], [])
    assert "kept: the cluster, on which other stacks live (namespaces shop)" in capsys.readouterr().out
