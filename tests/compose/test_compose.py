"""The vendor's new package against what is declared: every difference named with its place, no value shown."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from compose import __main__ as command
from compose import draft
from compose.compare import Difference, compare, ours, parts, says_as_much
from compose.declared import FIELD_OF, Declared, services_of
from compose.package import PackageError, Shipped, read, without_values
from infra.recorder import Recording
from tests.infra.aipp.support import declared as recorded
from toolchain.ensure import ready
from toolchain.tools import COMPOSE

SAMPLES = Path(__file__).with_name("samples")
FILE, VARIABLES = SAMPLES / "docker-compose.yml", SAMPLES / "variables.env"


@pytest.fixture(scope="module")
def reader() -> Path:
    place = ready(COMPOSE)
    if place is None:
        pytest.skip("the Compose reader is not built: python -m toolchain compose")
    return place / COMPOSE.binaries[0]


@pytest.fixture(scope="module")
def recording() -> Recording:
    return recorded()


@pytest.fixture(scope="module")
def here(recording: Recording) -> dict[str, Declared]:
    return services_of(recording)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The package as it lies at the vendor's: the variables are called .env there."""
    shutil.copy(FILE, tmp_path)
    shutil.copy(VARIABLES, tmp_path / ".env")
    return tmp_path


@pytest.fixture
def package(files: Path, reader: Path) -> list[Shipped]:
    return read(files / FILE.name, files / ".env", reader)


def said(differences: list[Difference]) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for each in differences:
        found.setdefault(each.service, set()).add((each.what, each.says.split(" ")[0].rstrip(":")))
    return found


def test_all_eight_are_known_by_their_images_whatever_they_are_called(package: list[Shipped]) -> None:
    assert {ours(each) for each in package if each.name != "watcher"} == set(FIELD_OF)
    assert [each.name for each in package if ours(each) is None] == ["watcher"]


def test_declared_services_are_read_from_what_is_really_declared(here: dict[str, Declared]) -> None:
    assert set(here) == set(FIELD_OF)
    assert here["enai-linker"].gpus == 1
    assert here["enai-linker"].shared_memory_mib == 2048
    assert here["enai-scheduler"].needs == {"pgvector", "redis", "rabbitmq", "enai-backend"}
    assert here["pgvector"].volumes == {"/var/lib/postgresql/data"}
    assert {"SPRING_DATASOURCE_URL", "JWT_SECRET"} <= here["enai-backend"].environment


def test_every_difference_is_named(package: list[Shipped], here: dict[str, Declared]) -> None:
    found = said(compare(package, here))
    from_env_file = {("secret", name) for name in ("MQ_PASSWORD", "REDIS_PASSWORD", "WATCH_TOKEN")}
    assert found["enai-backend"] == {
        ("image", "v1.1.0"),
        ("port", "9404"),
        ("secret", "JWT_SIGNING_KEY"),
        ("volume", "/app/uploads"),
        ("environment", "REGISTRY"),
        *from_env_file,
    }
    assert found["enai-front"] == {("image", "the"), ("environment", "NEXT_PUBLIC_API")}
    assert found["enai-linker"] == {("image", "the"), ("shared memory", "4096")}
    assert found["watcher"] == {("service", "is"), ("refused", "privileged")}
    assert found["pgvector"] == {("file", "/docker-entrypoint-initdb.d/vector.sql")}
    assert found["rabbitmq"] == {("environment", "RABBITMQ_DEFAULT_PASS")}
    assert "redis" not in found  # 7 there, 7.4.2-bookworm here: the same, said more exactly


def test_dependency_that_is_not_waited_for_is_named(here: dict[str, Declared]) -> None:
    front = Shipped(**{**bare("front"), "image": "front-next:v1.0.0", "needs": frozenset({"redis"})})
    (found,) = compare([front, Shipped(**{**bare("redis"), "image": "redis:7"})], {"enai-front": here["enai-front"]})[
        :1
    ]
    assert (found.what, found.says.split(" here")[0]) == (
        "dependency",
        "it starts after redis there, and does not wait for it",
    )


def test_service_that_the_vendor_dropped_is_named(package: list[Shipped], here: dict[str, Declared]) -> None:
    kept = [each for each in package if each.name != "scheduler"]
    assert ("service", "is") in said(compare(kept, here))["enai-scheduler"]


def test_linker_that_is_left_out_is_said_to_be(package: list[Shipped], here: dict[str, Declared]) -> None:
    without = {name: each for name, each in here.items() if name != "enai-linker"}
    (says,) = (each.says for each in compare(package, without) if each.service == "enai-linker")
    assert "aipp.linker.gpuCount" in says


def test_no_value_is_shown_by_report_draft_or_error(
    files: Path, reader: Path, package: list[Shipped], here: dict[str, Declared]
) -> None:
    shown = "\n".join(
        [*map(str, package), *map(str, compare(package, here)), *(draft.whole(each, "r") for each in package)]
    )
    assert "canary" not in shown
    (files / FILE.name).write_text('services: {a: {image: "x:1", ports: ["${DB_PASSWORD}"]}}')
    with pytest.raises(PackageError) as caught:
        read(files / FILE.name, files / ".env", reader)
    assert "canary" not in str(caught.value)
    assert "DB_PASSWORD" in str(caught.value)


def test_values_that_sound_secret_are_gone_wherever_they_were_used() -> None:
    there = {"image": "word/x:1", "ports": [{"target": "word"}], "n": 1}
    cleaned = without_values(there, {"A_TOKEN": "word", "REGISTRY": "x"})
    assert cleaned == {"image": "[value of A_TOKEN]/x:1", "ports": [{"target": "[value of A_TOKEN]"}], "n": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("services: {a: {imag: x}}", "services.a.imag"),
        ("services: [", "did not find expected"),
        ("services: {a: {image: 'x:1', depends_on: [b]}}", "undefined service"),
    ],
    ids=["misspelt", "no-yaml", "needs-nobody"],
)
def test_file_that_docker_would_refuse_is_refused_with_its_place(
    tmp_path: Path, reader: Path, text: str, says: str
) -> None:
    (tmp_path / "docker-compose.yml").write_text(text)
    with pytest.raises(PackageError, match=says):
        read(tmp_path / "docker-compose.yml", None, reader)


def test_nothing_of_this_process_reaches_the_file(
    tmp_path: Path, reader: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERE_CANARY", "canary")
    (tmp_path / "docker-compose.yml").write_text('services: {a: {image: "x:${HERE_CANARY:-none}"}}')
    (found,) = read(tmp_path / "docker-compose.yml", None, reader)
    assert found.image == "x:none"


def test_draft_is_a_component_of_this_house(package: list[Shipped]) -> None:
    (watcher,) = (each for each in package if each.name == "watcher")
    text = draft.component(watcher)
    compile(text, "watcher.py", "exec")
    assert 'super().__init__("aihub:aipp:Watcher", name, {}, opts)' in text
    section = yaml.safe_load(draft.section(watcher, "harbor.example.com/aipp"))["watcher"]
    assert section == {
        "image": "harbor.example.com/aipp/watcher:v0.1.0",
        "port": 9000,
        "environment": {"WATCH_EVERY": ""},
        "secretEnvironment": {"WATCH_TOKEN": "watchToken"},
        "volumes": {"watcher": {"folder": "/var/lib/watcher"}},
    }
    assert "target=REDIS" in draft.calls(watcher).replace("Call(source=WATCHER, ", "")


@pytest.mark.parametrize(
    ("own", "theirs", "same"),
    [
        ("0.8.1-pg17", "pg17", True),
        ("3.13.7-management", "3-management", True),
        ("7.4.2-bookworm", "7", True),
        ("v1.0.0", "v1.1.0", False),
        ("17.4.2", "7", False),
        ("0.8.1-pg16", "pg17", False),
    ],
)
def test_tag_that_says_more_is_no_difference(own: str, theirs: str, same: bool) -> None:
    assert says_as_much(own, theirs) == same


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("redis", ("redis", "latest")),
        ("a.example.com:5000/b/c", ("a.example.com:5000/b/c", "latest")),
        ("a.example.com:5000/b/c:v1", ("a.example.com:5000/b/c", "v1")),
        ("c:v1@sha256:" + "0" * 64, ("c", "v1")),
    ],
)
def test_parts_of_an_image(image: str, found: tuple[str, str]) -> None:
    assert parts(image) == found


def test_command_reports_and_says_so_in_its_status(
    files: Path, here: dict[str, Declared], reader: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(command, "declared", lambda stack: here)
    assert command.main([str(files / FILE.name), "--env", str(files / ".env"), "--draft"]) == 1
    shown = capsys.readouterr().out
    assert "enai-backend         secret        JWT_SIGNING_KEY is set there" in shown
    assert "class Watcher(ComponentResource)" in shown
    assert "canary" not in shown
    assert command.main([str(files / "none.yml")]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_stack_without_the_package_is_refused(files: Path, reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(files / FILE.name), "--stack", "local"]) == 2
    assert "stack local has no aihub:aipp" in capsys.readouterr().err


def bare(name: str) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(
        ("ports", "environment", "volumes", "files", "needs", "secrets", "unread"), frozenset()
    )
    return {"name": name, "image": "", "gpus": 0, "shared_memory_mib": 0, "refused": (), **nothing}
