"""Every pin is found, its source is asked with the usual tools, and silence is told apart from nothing newer."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra import versions
from ops import upgrades
from ops.paths import CHECKOUT
from ops.upgrades import Answer, ask, table
from ops.versions import newest
from ops.versions.newest import NotAskedError
from ops.versions.pins import Kind, Pin, pins
from toolchain.tools import ALL


def pin(kind: Kind = "pypi", name: str = "pydantic", version: str = "2.1.0", repository: str = "") -> Pin:
    return Pin(kind=kind, name=name, version=version, where="requirements.in", repository=repository)


@pytest.fixture(scope="module")
def found() -> list[Pin]:
    return pins()


def test_every_chart_and_every_tool_is_a_pin(found: list[Pin]) -> None:
    charts = {each.name for each in vars(versions).values() if isinstance(each, versions.ChartPin)}
    assert {each.name for each in found if each.kind == "chart"} == charts
    tools = {each.where.split("/")[2] for each in found if each.kind == "module"}
    assert tools == {tool.name for tool in ALL} - {"pause"}, "a C program of ours"


def test_packages_images_and_the_pages_libraries_are_pins(found: list[Pin]) -> None:
    by_name = {(each.kind, each.name): each for each in found}
    assert by_name["npm", "vue"].where == "service/web/package.json"
    assert "requirements-dev.in" in by_name["pypi", "uv"].where
    assert "toolchain/pypi.py" in by_name["pypi", "uv"].where
    assert by_name["image", "docker.io/aquasec/trivy"].where == "infra/config", "a default counts"
    for name in ("pgvector/pgvector", "library/rabbitmq"):
        assert any(each.name.endswith(name) and "Pulumi.dev.yaml" in each.where for each in found)


def test_every_requirement_has_its_locked_version(found: list[Pin]) -> None:
    names = {each.name for each in found if each.kind == "pypi"}
    wanted = {
        line.split("==")[0].split("[")[0].strip().lower()
        for line in (CHECKOUT / "requirements.in").read_text().splitlines()
        if line and not line.startswith(("#", "-"))
    }
    assert wanted
    assert wanted <= names
    assert all(each.version[0].isdigit() for each in found if each.kind == "pypi")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a command says, by a word of its line."""
    said: dict[str, str] = {}

    def told(argv: Sequence[str]) -> str:
        line = " ".join(argv)
        for word, answer in said.items():
            if word in line:
                return answer
        raise NotAskedError(f"not expected: {line}")

    monkeypatch.setattr(newest, "told", told)
    monkeypatch.setattr(newest, "ready", lambda tool: Path("/tools"))
    monkeypatch.setattr(newest, "_program", lambda name, *_, **__: name)
    return said


def test_each_kind_is_asked_with_its_own_tool(commands: dict[str, str]) -> None:
    commands["-m pip index versions pydantic --json"] = '{"name": "pydantic", "versions": ["2.2.0", "2.1.0"]}'
    commands["npm view vue dist-tags.latest --json"] = '"3.6.0"'
    commands["go list -mod=mod -m -json helm.sh/helm/v3@latest"] = '{"Version": "v3.23.0"}'
    commands["/tools/helm show chart redis --repo https://charts.example"] = "name: redis\nversion: 9.1.0\n"
    commands["/tools/helm show chart oci://ghcr.io/x/loki"] = "apiVersion: v2\nversion: '19.0.0'\nappVersion: 3.8\n"
    assert newest.newest(pin()) == "2.2.0"
    assert newest.newest(pin("npm", "vue")) == "3.6.0"
    assert newest.newest(pin("module", "helm.sh/helm/v3")) == "v3.23.0"
    assert newest.newest(pin("chart", "redis", repository="https://charts.example")) == "9.1.0"
    assert newest.newest(pin("chart", "loki", repository="oci://ghcr.io/x")) == "19.0.0"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("7.4.2-bookworm", "7.10.0-bookworm"),
        ("7.4.2", "8.0.0"),
        ("v2.45.1", "v2.46.0"),
        ("0.8.1-pg17", "0.8.2-pg17"),
        ("9.9.9-unheard", "9.9.9-unheard"),
    ],
)
def test_only_tags_of_the_same_form_are_newer(commands: dict[str, str], tag: str, expected: str) -> None:
    tags = ["latest", "8", "8.1", "7.4.2", "8.0.0", "8.0.0-rc1", "7.4.2-bookworm", "7.10.0-bookworm", "8.0.0-alpine"]
    tags += ["v2.45.1", "v2.46.0", "v2.46", "0.8.1-pg17", "0.8.2-pg17", "0.8.2-pg18", "sha-0123456"]
    commands["skopeo list-tags docker://some/image"] = json.dumps({"Tags": tags})
    assert newest.newest(pin("image", "some/image", tag)) == expected


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Error: dial tcp: lookup charts.example on 10.0.0.1:53: no such host", "no route: its name does not resolve"),
        ("first\nError: 403 Forbidden\n", "Error: 403 Forbidden"),
        ("", "no reason given"),
    ],
)
def test_a_source_that_cannot_be_reached_gives_its_reason(said: str, reason: str) -> None:
    with pytest.raises(NotAskedError) as raised:
        newest.told(["sh", "-c", f"printf '%s' \"{said}\" >&2; exit 1"])
    assert str(raised.value) == reason


def test_an_answer_that_is_none_is_no_failure(commands: dict[str, str]) -> None:
    commands["npm view"] = "<html>"
    with pytest.raises(NotAskedError, match="an answer that is none"):
        newest.newest(pin("npm", "vue"))


@pytest.mark.parametrize(
    ("ours", "theirs", "step"),
    [
        ("1.2.3", "2.0.0", "major"),
        ("v1.2.3", "v1.3.0", "minor"),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2", "1.2.1", "patch"),
        ("2.0.0", "1.9.9", ""),
        ("1.2.3", "1.2.3", ""),
    ],
)
def test_how_far_the_newest_is_away(ours: str, theirs: str, step: str) -> None:
    assert Answer(pin=pin(version=ours), newest=theirs).step == step


def test_the_table_shows_what_is_newer_and_what_was_not_asked() -> None:
    def newest_of(each: Pin) -> str:
        if each.kind == "chart":
            raise NotAskedError("no route: its name does not resolve")
        return {"pydantic": "3.0.0", "vue": "2.1.0"}[each.name]

    text = table(
        ask(each, newest_of) for each in (pin(), pin("npm", "vue"), pin("chart", "loki"), pin("chart", "tempo"))
    )
    assert text.splitlines() == [
        "       name      pinned  newest  pinned in",
        "major  pydantic  2.1.0   3.0.0   requirements.in",
        "not asked (chart: no route: its name does not resolve):",
        "  loki 2.1.0, tempo 2.1.0",
        "1 of 2 that could be asked have something newer; 2 not asked",
    ]


def test_one_thing_can_be_asked_about(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(upgrades, "pins", lambda: [pin(), pin("npm", "vue")])
    monkeypatch.setattr(upgrades, "ask", lambda each: Answer(pin=each, newest="9.0"))
    assert upgrades.run("vue") == 0
    said = capsys.readouterr().out
    assert "vue" in said
    assert "pydantic" not in said
