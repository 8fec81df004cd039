"""Helm releases: a small chart on a real API server, through the real helm."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from plugins.kubernetes.access import Access
from plugins.kubernetes.chart import failures_in, release_from
from plugins.kubernetes.cluster import Cluster
from plugins.kubernetes.helm import helm, upgrade_command
from plugins.kubernetes.releases import RELEASE, Releases
from plugins.kubernetes.settings import Settings
from plugins.protocol.provider import NotReadyError, ProviderError
from plugins.protocol.values import Secret, reveal
from tests.apiserver import ApiServer
from tests.plugins.kubernetes.support import Said, resource
from tests.plugins.support import SEARCH_PATH

TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  colour: {{ required "colour is required" .Values.colour | quote }}
  size: {{ .Values.size | quote }}
  password: {{ .Values.password | quote }}
"""


@pytest.fixture(autouse=True)
def _helm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", SEARCH_PATH)
    if shutil.which("helm") is None:
        pytest.skip("no helm on PATH or in the toolchain's cache")


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 1.2.3\nappVersion: '9'\n")
    (folder / "values.yaml").write_text("size: 1\npassword: none\n")
    (folder / "templates" / "settings.yaml").write_text(TEMPLATE)
    return folder


@pytest.fixture
def access(api_server: ApiServer) -> Access:
    return Access(Settings(kubeconfig=str(api_server.kubeconfig)))


@pytest.fixture
def cluster(access: Access) -> Cluster:
    return access.cluster()


@pytest.fixture
def inputs(chart: Path) -> dict[str, Any]:
    values = {"colour": "green", "password": Secret("hunter22")}
    return {"chart": str(chart), "name": f"r-{uuid4().hex[:8]}", "namespace": "default", "values": values}


@pytest.fixture
def releases(access: Access, inputs: dict[str, Any]) -> Iterator[Releases]:
    made = Releases(access)
    yield made
    made.delete(resource(RELEASE), inputs, Said().operation())


def _settings(cluster: Cluster, name: str) -> dict[str, str] | None:
    live = cluster.get({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}})
    data: dict[str, str] | None = live["data"] if live else None
    return data


def test_a_release_is_installed_changed_and_removed(
    releases: Releases, cluster: Cluster, inputs: dict[str, Any]
) -> None:
    name = inputs["name"]
    identity, outputs = releases.create(resource(RELEASE), inputs, Said().operation())
    assert identity == f"default/{name}"
    assert _settings(cluster, name) == {"colour": "green", "size": "1", "password": "hunter22"}
    assert outputs["status"]["version"] == "1.2.3"
    assert (outputs["status"]["status"], outputs["status"]["revision"]) == ("deployed", 1)
    assert outputs["values"]["password"] == Secret("hunter22")

    changed = {**inputs, "values": {**inputs["values"], "colour": "blue"}}
    known = resource(RELEASE, identity=identity)
    outputs = releases.update(known, inputs, outputs, changed, Said().operation())
    assert (_settings(cluster, name) or {})["colour"] == "blue"
    assert outputs["status"]["revision"] == 2

    for _ in range(2):
        releases.delete(known, outputs, Said().operation())
        assert _settings(cluster, name) is None
    assert releases.read(known, inputs, outputs, Said().operation()) is None


def test_values_changed_outside_are_a_drift(releases: Releases, access: Access, inputs: dict[str, Any]) -> None:
    identity, outputs = releases.create(resource(RELEASE), inputs, Said().operation())
    known = resource(RELEASE, identity=identity)
    found = releases.read(known, inputs, outputs, Said().operation())
    assert found is not None
    assert found[0] == inputs
    other = {**inputs, "values": {**inputs["values"], "colour": "red"}}
    with helm(access.settings) as program:
        program.upgrade(release_from(other), Said().operation())
    found = releases.read(known, inputs, outputs, Said().operation())
    assert found is not None
    assert found[0]["values"] == {"colour": "red", "password": Secret("hunter22")}
    assert [path for path, _ in releases.diff(known, found[0], found[1], inputs).changes] == [("values", "colour")]


def test_a_chart_that_cannot_be_rendered_says_why_and_leaves_nothing(
    releases: Releases, inputs: dict[str, Any]
) -> None:
    with pytest.raises(ProviderError, match="colour is required") as caught:
        releases.create(resource(RELEASE), {**inputs, "values": {}}, Said().operation())
    assert not isinstance(caught.value, NotReadyError)


def test_a_release_that_fails_halfway_is_kept(releases: Releases, inputs: dict[str, Any], chart: Path) -> None:
    (chart / "templates" / "wrong.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NOT_VALID}\n")
    with pytest.raises(NotReadyError, match="NOT_VALID") as caught:
        releases.create(resource(RELEASE), inputs, Said().operation())
    assert caught.value.outputs["status"]["status"] == "failed"


def test_no_value_and_no_password_is_on_the_command_line(inputs: dict[str, Any]) -> None:
    options = {"repo": "https://charts.invalid", "username": "me", "password": Secret("hunter22")}
    release = release_from({**inputs, "repositoryOpts": options, "chart": "small", "version": "1", "atomic": True})
    command = upgrade_command(release, [Path("values.json")])
    assert not any("hunter22" in word for word in command)
    assert command[:5] == ["helm", "upgrade", "--install", inputs["name"], "chart-repository/small"]
    assert {"--wait", "--atomic", "--version"} < set(command)


def test_nothing_of_a_call_is_left_behind(access: Access) -> None:
    with helm(access.settings) as program:
        folder = program.folder
        assert (folder / "kubeconfig").stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_names_are_made_once_and_kept(access: Access, chart: Path) -> None:
    releases = Releases(access)
    first = releases.check(resource(RELEASE, "web"), {}, {"chart": str(chart)}, b"seed").inputs
    assert first["name"].startswith("web-")
    assert first["namespace"] == "default"
    assert releases.check(resource(RELEASE, "web"), first, {"chart": str(chart)}, b"other").inputs == first


@pytest.mark.parametrize(
    ("inputs", "property_"),
    [
        ({}, "chart"),
        ({"chart": "x", "postrender": "cat"}, "postrender"),
        ({"chart": "x", "repositoryOpts": {"caFile": "x"}}, "repositoryOpts.caFile"),
    ],
)
def test_what_helm_is_not_asked_for_is_refused_by_name(inputs: dict[str, Any], property_: str) -> None:
    assert property_ in failures_in(inputs)


def test_another_namespace_is_another_release(access: Access, inputs: dict[str, Any]) -> None:
    difference = Releases(access).diff(resource(RELEASE), inputs, inputs, {**inputs, "namespace": "other"})
    assert difference.replaces == {("namespace",)}


def test_a_preview_asks_no_helm(access: Access, inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    releases = Releases(access)
    _, outputs = releases.create(resource(RELEASE), inputs, Said().operation(preview=True))
    assert reveal(outputs) == reveal(inputs)
    with pytest.raises(ProviderError, match="helm is not on PATH"):
        releases.create(resource(RELEASE), inputs, Said().operation())
