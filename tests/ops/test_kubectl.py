"""Every command asks the stack's own cluster, whichever is the current one."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import ops
from ops import access
from ops.errors import OpsError
from ops.kubectl import Kubectl
from ops.paths import StackPaths
from ops.preflight import run as preflight

OPS = Path(ops.__file__).parent
ECHO = '#!/bin/sh\necho "$@" > {calls}\necho \'{{"items": []}}\'\n'


def echoing(folder: Path) -> Kubectl:
    """Return a kubectl that writes down how it was called."""
    program = folder / "kubectl"
    program.write_text(ECHO.format(calls=folder / "calls"))
    program.chmod(0o755)
    return Kubectl(program=program, environment={"PATH": os.environ["PATH"]}, context="there")


def _port(kubectl: Kubectl) -> None:
    with kubectl.port("data", "pod/redis-0", 6379) as port:
        assert port is None


@pytest.mark.parametrize(
    "call",
    [
        lambda kubectl: kubectl.run("version"),
        lambda kubectl: kubectl.ask("version"),
        lambda kubectl: kubectl.get("pods"),
        _port,
    ],
)
def test_no_call_goes_without_the_context(call: Callable[[Kubectl], object], tmp_path: Path) -> None:
    call(echoing(tmp_path))
    assert (tmp_path / "calls").read_text().startswith("--context there ")


def test_nothing_of_ours_calls_kubectl_by_itself() -> None:
    """Whoever did would forget the context."""
    itself = re.compile(r'access\.kubectl\(|\[\s*"kubectl"|from ops\.access import.*kubectl')
    found = [path.name for path in sorted(OPS.rglob("*.py")) if itself.search(path.read_text())]
    assert found == ["kubectl.py"]


def kubeconfig(folder: Path, *contexts: str) -> Path:
    """Write a kubeconfig whose first context is the current one."""
    file = folder / "kubeconfig"
    whole = {
        "current-context": contexts[0],
        "clusters": [{"name": each, "cluster": {"server": f"https://{each}:6443"}} for each in contexts],
        "contexts": [{"name": each, "context": {"cluster": each, "user": "me"}} for each in contexts],
        "users": [{"name": "me", "user": {}}],
    }
    file.write_text(json.dumps(whole))
    return file


def stack(folder: Path, cluster: str) -> StackPaths:
    """Return a stack whose file says this of its cluster."""
    file = folder / "Pulumi.test.yaml"
    file.write_text(f"config:\n  aihub:cluster: {cluster}\n")

    class Paths(StackPaths):
        @property
        def declared_config(self) -> Path:
            return file

    return Paths("test")


def test_several_clusters_and_none_named_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, "company", "mine")))
    with pytest.raises(OpsError, match=r"stack test names no cluster.*: company, mine") as raised:
        Kubectl.of(stack(tmp_path, "{}"))
    assert "Pulumi.test.yaml: aihub:cluster: {context: NAME}" in raised.value.fix
    (finding,) = preflight._cluster(stack(tmp_path, "{}"))[1]
    assert not finding.ok
    assert preflight._cluster(stack(tmp_path, f"{{context: {access.NODE_CONTEXT}}}"))[1] == [], "it may come only yet"


def test_the_cluster_that_is_asked_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, "company", "mine")))
    (finding,) = preflight._cluster(stack(tmp_path, "{context: mine}"))[1]
    assert (finding.ok, finding.says) == (True, "mine, https://mine:6443")
    (finding,) = preflight._cluster(stack(tmp_path, "{context: dev-meta}"))[1]
    assert not finding.ok
    assert "no cluster dev-meta" in finding.says
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, "only")))
    (finding,) = preflight._cluster(stack(tmp_path, "{}"))[1]
    assert finding.says == "only, https://only:6443"


def test_stack_dev_names_its_cluster() -> None:
    """A company's cluster is nobody's current one by chance."""
    assert access.of_stack(StackPaths("dev")).context == "dev-meta"
