"""What `make destroy` takes away, and what it leaves where another stack lives on the same cluster."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster import node
from ops import access, destroy
from ops.errors import OpsError
from ops.kubectl import Kubectl
from ops.paths import StackPaths

KUBECTL = """\
#!/bin/sh
shift 2
printf '%s\\n' "$*" >> {folder}/calls
case "$*" in
"get pvc"*) printf 'data redis\\nshop redis\\naipp pgvector\\n' ;;
"get namespaces --selector aihub/stack=test "*) printf 'namespace/data\\nnamespace/aipp\\n' ;;
"get namespaces"*) {listed}; printf '{others}' ;;
"-n argocd patch"*gone*) echo 'Error from server (NotFound)' >&2; exit 1 ;;
"-n argocd patch"*) {patch} ;;
"delete namespace stuck"*) exit 1 ;;
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


def application(name: str, api_version: str = "argoproj.io/v1alpha1") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "argocd"}
    return {"inputs": {"apiVersion": api_version, "kind": "Application", "metadata": metadata}}


@dataclass
class Stack:
    """A stack that is up, on a cluster whose kubectl is a script."""

    folder: Path
    patch: str = ":"
    """What the cluster does when an Application is changed."""
    listed: str = ":"
    """What the cluster does when namespaces are listed."""
    others: str = ""
    namespace: str = "chat"
    """The namespace that the outputs name."""
    own_node: bool = True
    deployed: bool = True
    """Whether Pulumi was ever at work."""
    on_node: str = "kubeconfig"
    """What is left of our own node."""
    gone: list[str] = field(default_factory=list)

    def destroy(self, monkeypatch: pytest.MonkeyPatch, delete_volumes: bool = True) -> int:
        program = self.folder / "kubectl"
        program.write_text(KUBECTL.format(**vars(self)))
        program.chmod(0o755)
        (self.folder / "calls").touch()
        paths = Paths("test", folder=self.folder)
        if self.deployed:
            paths.state.mkdir(exist_ok=True)
            (self.folder / "node").mkdir(exist_ok=True)
            (self.folder / "node" / self.on_node).touch()
        state = {"resources": [application("aipp"), application("gone"), application("a", "app.k8s.io/v1"), {}]}
        session = SimpleNamespace(
            engine=SimpleNamespace(ask=lambda *_: json.dumps({"deployment": state}), run=self._pulumi),
            kubectl=Kubectl(program=program, environment={}, context="there"),
            outputs={"namespaces": {"chat": self.namespace}},
        )
        monkeypatch.setattr(destroy, "resume", lambda _: session)
        monkeypatch.setattr(access, "of_stack", lambda _: SimpleNamespace(own_node=self.own_node))
        monkeypatch.setattr(access, "NODE_KUBECONFIG", self.folder / "node" / "kubeconfig")
        monkeypatch.setattr(Kubectl, "of", lambda _: session.kubectl)
        monkeypatch.setattr(node, "reset", lambda _: self.gone.append("node"))
        return destroy.run(paths, delete_volumes=delete_volumes)

    def _pulumi(self, command: str, *_: str) -> None:
        with (self.folder / "calls").open("a") as calls:
            calls.write(f"pulumi {command}\n")

    def calls(self, *first: str) -> list[list[str]]:
        """Return the calls that begin so, in their order."""
        found = [line.split() for line in (self.folder / "calls").read_text().splitlines()]
        return [words for words in found if words[: len(first)] == list(first)]

    def deleted(self) -> list[str]:
        return [words[2] for words in self.calls("delete", "namespace")]


def test_a_stack_alone_takes_volumes_namespaces_and_node_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(tmp_path)
    assert stack.destroy(monkeypatch) == 0
    assert (stack.deleted(), stack.gone) == (["aipp", "chat", "data"], ["node"])
    assert not (tmp_path / "private").exists()


def test_another_stack_on_the_node_keeps_its_volumes_and_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Stack(tmp_path, others="namespace/shop\\n")
    assert stack.destroy(monkeypatch) == 0
    assert (stack.deleted(), stack.gone) == (["aipp", "chat", "data"], [])
    assert "kept: the cluster, on which other stacks live (namespaces shop)" in capsys.readouterr().out


def test_only_its_own_volumes_are_said_to_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Stack(tmp_path)
    assert stack.destroy(monkeypatch, delete_volumes=False) == 0
    assert stack.deleted() == []
    kept = [line for line in capsys.readouterr().out.splitlines() if line.startswith("kept")]
    assert kept == ["kept: volume data/redis", "kept: volume aipp/pgvector"]


def test_argo_cd_takes_down_what_it_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the finalizer the services would run on, and nobody would own them."""
    stack = Stack(tmp_path)
    assert stack.destroy(monkeypatch, delete_volumes=False) == 0
    first, second, third = [words for words in stack.calls() if "patch" in words or words[0] == "pulumi"]
    assert first[:5] == ["-n", "argocd", "patch", "applications.argoproj.io", "aipp"]
    assert "resources-finalizer.argocd.argoproj.io" in " ".join(first)
    assert second[4] == "gone", "one that somebody removed is no reason to stop"
    assert third == ["pulumi", "destroy"]


def test_an_application_that_cannot_be_changed_stops_it_before_anything_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(tmp_path, patch="echo forbidden >&2; exit 1")
    with pytest.raises(OpsError, match="Application aipp cannot be changed: forbidden"):
        stack.destroy(monkeypatch)
    assert stack.calls("pulumi") == []


def test_a_namespace_that_stays_keeps_the_stacks_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are what a second `make destroy` needs."""
    stack = Stack(tmp_path, namespace="stuck", own_node=False)
    with pytest.raises(OpsError, match="not gone yet: stuck"):
        stack.destroy(monkeypatch)
    assert (tmp_path / "private").exists()


def test_a_namespace_that_is_another_stacks_by_now_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack(tmp_path, others="namespace/chat\\n", own_node=False)
    assert stack.destroy(monkeypatch) == 0
    assert stack.deleted() == ["aipp", "data"]


def test_a_node_that_is_gone_leaves_nobody_to_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Stack(tmp_path, on_node="log")
    assert stack.destroy(monkeypatch, delete_volumes=False) == 0
    said = capsys.readouterr().out
    assert "The node of stack test is gone, and with it all that was on it, its volumes too." in said
    assert f"kept: its secrets and Pulumi's state in {tmp_path / 'private'}" in said
    assert (tmp_path / "private" / "state").exists()
    assert stack.destroy(monkeypatch) == 0
    assert (stack.calls(), stack.gone) == ([], ["node"])
    assert not (tmp_path / "private").exists()


@pytest.mark.parametrize(("on_node", "own_node"), [("etcd", True), ("log", False)])
def test_only_our_own_node_without_its_objects_counts_as_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_node: str, own_node: bool
) -> None:
    stack = Stack(tmp_path, on_node=on_node, own_node=own_node)
    assert stack.destroy(monkeypatch, delete_volumes=False) == 0
    assert stack.calls("pulumi") == [["pulumi", "destroy"]]


def test_a_second_time_there_is_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Stack(tmp_path, deployed=False)
    (tmp_path / "node").mkdir()  # of somebody who brought it up by hand, or from another checkout
    for delete_volumes in (True, False):
        assert stack.destroy(monkeypatch, delete_volumes=delete_volumes) == 0
        assert "Nothing of stack test is deployed from this checkout." in capsys.readouterr().out
    assert (stack.calls(), stack.gone) == ([], [])


@pytest.mark.parametrize(
    ("kubeconfig", "others", "gone"),
    [(False, "", ["node"]), (True, "", ["node"]), (True, "namespace/shop\\n", [])],
    ids=["never started", "started", "carries another stack"],
)
def test_an_up_that_did_not_come_to_pulumi_leaves_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kubeconfig: bool, others: str, gone: list[str]
) -> None:
    stack = Stack(tmp_path, others=others, deployed=False)
    Paths("test", folder=tmp_path).secrets.touch()
    (tmp_path / "node").mkdir()
    if kubeconfig:
        (tmp_path / "node" / "kubeconfig").touch()
    assert stack.destroy(monkeypatch, delete_volumes=False) == 0
    assert (tmp_path / "private" / "secrets.json").exists()
    assert stack.destroy(monkeypatch) == 0
    assert stack.gone == gone
    assert not (tmp_path / "private").exists()


def test_a_node_that_does_not_say_what_is_on_it_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack(tmp_path, listed="echo refused >&2; exit 1", deployed=False)
    Paths("test", folder=tmp_path).secrets.touch()
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "kubeconfig").touch()
    with pytest.raises(OpsError, match=r"(?s)refused.*cluster up, then this again.*cluster reset"):
        stack.destroy(monkeypatch)
    assert stack.gone == []
    assert (tmp_path / "private" / "secrets.json").exists()
