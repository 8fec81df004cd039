"""The vendor's new package against what is declared: every difference named with its place, no value shown."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from compose import draft, fields
from compose.compare import Difference, compare, ours, parts, says_as_much
from compose.declared import FIELD_OF, Declared
from compose.package import PackageError, Shipped, mark, read, without_values
from infra.config import StackConfig
from ops import compose as command
from ops.errors import OpsError
from ops.paths import CHECKOUT, StackPaths
from tests.compose.conftest import FILE, SAMPLES


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
    assert {"SPRING_DATASOURCE_URL", "JWT_SECRET"} <= here["enai-backend"].environment.keys()
    assert here["enai-backend"].configured["JWT_SECRET"] == "aipp.backend.secretEnvironment"
    assert (here["enai-front"].replicas, here["redis"].memory_mib, here["redis"].cpu_millicores) == (2, 512, 500)


def test_every_difference_is_named(package: list[Shipped], here: dict[str, Declared]) -> None:
    found = said(compare(package, here))
    from_env_file = {("secret", name) for name in ("MQ_PASSWORD", "REDIS_PASSWORD", "WATCH_TOKEN")}
    assert found["enai-backend"] == {
        ("image", "v1.1.0"),
        ("port", "9404"),
        ("secret", "JWT_SIGNING_KEY"),
        ("volume", "/app/uploads"),
        ("environment", "REGISTRY"),
        ("environment", "FEATURES"),
        ("environment", "SPRING_DATASOURCE_URL"),
        ("environment", "GONE"),
        ("environment", "JWT_SECRET"),
        ("memory", "4096"),
        ("setting", "healthcheck"),
        *from_env_file,
    }
    assert found["enai-front"] == {("image", "the"), ("environment", "NEXT_PUBLIC_API"), ("replicas", "3")}
    assert found["enai-linker"] == {("image", "the"), ("shared memory", "4096")}
    assert found["watcher"] == {("service", "is"), ("refused", "privileged"), ("setting", "user")}
    assert found["pgvector"] == {("file", "/docker-entrypoint-initdb.d/vector.sql")}
    assert found["rabbitmq"] == {("environment", "RABBITMQ_DEFAULT_PASS")}
    # 7 there, 7.4.2-bookworm here: the same, said more exactly.
    assert found["redis"] == {("setting", "command")}


def test_value_that_differs_is_said_to_without_being_shown(package: list[Shipped], here: dict[str, Declared]) -> None:
    says = {each.says for each in compare(package, here) if each.what == "environment"}
    assert "FEATURES has another value there: see aipp.backend.environment" in says
    made_here = (each for each in says if "SPRING_DATASOURCE_URL" in each)
    assert [*made_here] == ["SPRING_DATASOURCE_URL: another value there than infra/aipp/backend.py gives: do both fit?"]
    assert not [each for each in says if "SPRING_PROFILES_ACTIVE" in each]  # the same on both sides


def test_variable_that_the_vendor_dropped_is_named(package: list[Shipped], here: dict[str, Declared]) -> None:
    says = {each.says for each in compare(package, here) if each.service == "enai-backend"}
    assert "GONE is set in aipp.backend.environment, and there no more" in says
    assert "JWT_SECRET is set in aipp.backend.secretEnvironment, and there no more" in says
    (backend,) = (each for each in package if each.name == "backend")
    without = dataclasses.replace(backend, unread=frozenset({".env"}))
    assert not [each for each in compare([without], here) if "there no more" in each.says and each.what != "service"]


def test_marks_of_values_tell_nothing_and_compare() -> None:
    assert mark("word") == mark("word") != mark("other")
    assert "word" not in mark("word")
    assert mark(None) == ""


def test_every_field_is_read_refused_or_named(tmp_path: Path, reader: Path) -> None:
    """A field that no list of `fields.py` has is named, e.g. ``working_dir``: nothing passes without a word."""
    text = (SAMPLES / "every-field.yml").read_text()
    (tmp_path / "docker-compose.yml").write_text(text)
    found, _ = read(tmp_path / "docker-compose.yml", None, reader)
    refused = {each.split(" ")[0] for each in found.refused}
    assert refused == {*fields.REFUSED, "port"} - {"network_mode", "external_links", "links", "volumes_from"}
    assert found.fields == {
        *("command", "entrypoint", "user", "healthcheck", "working_dir", "stop_grace_period", "stop_signal"),
        *("security_opt", "runtime", "dns", "group_add", "pids_limit", "oom_score_adj", "cgroup_parent", "storage_opt"),
        *(
            "deploy.placement",
            "deploy.mode",
            "deploy.resources.limits.pids",
            "platform",
            "domainname",
            "mac_address",
            "uts",
        ),
    }
    assert found.ports == {80, 81, 3000, 3001, 3002}
    assert [each for each in found.refused if each.startswith("port")] == [
        f"port {port}/udp is opened: Services and policies here are for TCP; ask the vendor what for"
        for port in (53, 5353)
    ]
    assert found.files == {"/settings.ini"}
    assert found.scratch == {"/run", "/scratch"}
    assert (found.memory_mib, found.cpu_millicores, found.replicas, found.shared_memory_mib) == (2048, 1500, 3, 4096)


@pytest.mark.parametrize(
    ("service", "gpus"),
    [
        ({"runtime": "nvidia"}, -1),
        ({"gpus": "all"}, -1),
        ({"gpus": [{"count": 2}]}, 2),
        ({"runtime": "nvidia", "gpus": [{"count": 1}]}, 1),
        ({"runtime": "runc"}, 0),
    ],
)
def test_card_is_seen_however_it_is_asked_for(tmp_path: Path, reader: Path, service: object, gpus: int) -> None:
    file = tmp_path / "docker-compose.yml"
    file.write_text(json.dumps({"services": {"a": {"image": "x:1", **dict(service)}}}))  # type: ignore[call-overload]
    (found,) = read(file, None, reader)
    assert found.gpus == gpus
    assert ("runtime" in found.fields) == (service == {"runtime": "runc"})


def test_place_that_is_named_exists(here: dict[str, Declared]) -> None:
    """A field where the service has it, else the file of its code."""
    asks = {"memory_mib": 99999, "cpu_millicores": 99999, "shared_memory_mib": 99999, "replicas": 9, "gpus": 1}
    paths = {"volumes": frozenset({"/kept"}), "scratch": frozenset({"/run"}), "ports": frozenset({1})}
    for name in FIELD_OF:
        same = {"image": here[name].image, "environment": here[name].environment}
        asked = Shipped(**{**bare(name), **asks, **paths, **same})
        for each in compare([asked], {name: here[name]}):
            place = each.says.rsplit(" ", 1)[1]
            assert (CHECKOUT / place).exists() if "/" in place else place.startswith(f"aipp.{FIELD_OF[name]}."), each
    (cpu,) = (
        each.says
        for each in compare([Shipped(**{**bare("redis"), **asks, "image": "redis:7"})], {"redis": here["redis"]})
        if each.what == "cpu"
    )
    assert cpu == "99999 thousandths there, 500 here: see infra/data/redis.py"


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
    files: Path, reader: Path, package: list[Shipped], here: dict[str, Declared], stack: StackConfig
) -> None:
    drafts = (draft.whole(each, stack, "dev", {}) for each in package)
    shown = "\n".join([*map(str, package), *map(str, compare(package, here)), *drafts])
    assert "canary" not in shown
    assert "shown-to-nobody" not in shown
    (files / FILE.name).write_text('services: {a: {image: "x:1", ports: ["${DB_PASSWORD}"]}}')
    with pytest.raises(PackageError) as caught:
        read(files / FILE.name, files / ".env", reader)
    assert "canary" not in str(caught.value)
    assert "DB_PASSWORD" in str(caught.value)


def test_address_with_a_password_in_it_is_a_secret(package: list[Shipped]) -> None:
    (backend,) = (each for each in package if each.name == "backend")
    assert {"SPRING_DATASOURCE_URL", "JWT_SIGNING_KEY"} <= backend.secret
    assert "SPRING_PROFILES_ACTIVE" not in backend.secret


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


def test_service_that_was_pasted_is_known_the_next_time() -> None:
    assert ours(Shipped(**{**bare("Data_Processor"), "image": "renamed:1"})) == "enai-data-processor"
    assert ours(Shipped(**{**bare("redis"), "image": "valkey:8"})) == "redis"
    assert ours(Shipped(**{**bare("text_miner"), "image": "text-miner:1"})) is None


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


@pytest.fixture
def tree(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make render` writes, with the vendor's package in its place."""
    tree = tmp_path_factory.mktemp("tree")
    shutil.copytree(files, tree / "gitops-apps/apps/aipp/package")
    return tree


def test_command_reports_and_says_so_in_its_status(
    tree: Path, here: dict[str, Declared], reader: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("compose.declared.declared", lambda stack, config: here)
    assert command.run(StackPaths("dev"), tree, draft=True) == 1
    shown = capsys.readouterr().out
    assert "enai-backend         secret        JWT_SIGNING_KEY is set there" in shown
    assert "# infra/aipp/watcher.py, a new file" in shown
    assert '# infra/aipp/names.py, above the line SCHEDULER: "scheduler",\n    WATCHER: "watcher",' in shown
    assert "canary" not in shown
    monkeypatch.setattr("compose.compare.compare", lambda shipped, declared: [])
    assert command.run(StackPaths("dev"), tree, draft=False) == 0
    assert capsys.readouterr().out == ""


def test_package_that_is_not_there_or_no_package_is_refused(tree: Path, reader: Path, tmp_path: Path) -> None:
    with pytest.raises(OpsError, match=r"not in .*gitops-apps/apps/aipp/package\n.*make compose STACK=dev OUT="):
        command.run(StackPaths("dev"), tmp_path / "elsewhere", draft=False)
    (tree / "gitops-apps/apps/aipp/package/docker-compose.yml").write_text("services: {a: {imag: x}}")
    with pytest.raises(OpsError, match=r"services\.a\.imag"):
        command.run(StackPaths("dev"), tree, draft=False)


def test_stack_without_the_package_is_refused(tree: Path) -> None:
    with pytest.raises(OpsError, match="stack local has no aihub:aipp"):
        command.run(StackPaths("local"), tree, draft=False)


def bare(name: str) -> dict[str, Any]:
    sets = ("ports", "secret", "volumes", "scratch", "files", "needs", "secrets", "unread", "fields")
    sizes = ("gpus", "replicas", "memory_mib", "cpu_millicores", "shared_memory_mib")
    nothing: dict[str, Any] = {**dict.fromkeys(sets, frozenset()), **dict.fromkeys(sizes, 0)}
    return {"name": name, "image": "", "environment": {}, "refused": (), **nothing}
