"""How builders are told which registry speaks plain HTTP."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import apt
from infra.registry.build import BUILD_FILES
from ops import access
from ops.paths import StackPaths

SERVER = "host: hub.lan:5000, server: {image: registry}"


def stack(folder: Path, context: str, registry: str) -> StackPaths:
    """Return a stack whose file says this of its cluster and its registry."""
    file = folder / "Pulumi.test.yaml"
    file.write_text(f"config:\n  aihub:cluster: {{context: {context}}}\n  aihub:registry: {{{registry}}}\n")

    class Paths(StackPaths):
        @property
        def declared_config(self) -> Path:
            return file

    return Paths("test")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that gives this machine a way to Debian."""

    def machine(*, mirrors: list[tuple[str, str]], lines: list[str]) -> None:
        monkeypatch.setattr(apt, "machine_mirrors", lambda: mirrors)
        monkeypatch.setattr(apt, "machine_configuration_lines", lambda: lines)

    return machine


@pytest.mark.parametrize(
    ("registry", "plain"),
    [
        (SERVER, "hub.lan:5000"),
        (SERVER.replace("}", ", tls: {certificate: PEM}}"), None),
        ("host: harbor.example.com", None),
    ],
)
def test_builders_are_told_of_the_stacks_registry_that_speaks_plain_http(
    tmp_path: Path, registry: str, plain: str | None
) -> None:
    variables = access.of_stack(stack(tmp_path, "mine", registry)).builder_variables(tmp_path)
    assert bool(variables) is bool(plain)
    if plain:
        told = tomllib.loads(Path(variables["CONTAINERS_REGISTRIES_CONF"]).read_text())
        assert told["registry"] == [{"location": plain, "insecure": True}]


def test_builders_of_our_own_node_are_told_by_its_own_file(tmp_path: Path, machine: Callable[..., None]) -> None:
    machine(mirrors=[], lines=[])
    variables = access.of_stack(stack(tmp_path, access.NODE_CONTEXT, SERVER)).builder_variables(tmp_path / "absent")
    assert variables["CONTAINERS_REGISTRIES_CONF"] == str(access.NODE_REGISTRIES)


def test_the_machines_way_to_debian_is_lent_to_the_first_images_of_our_own_node(
    tmp_path: Path, machine: Callable[..., None]
) -> None:
    machine(mirrors=[("http://mirror.lan/debian", "bookworm")], lines=['Acquire::http::Proxy "http://p:3128";'])
    ours = access.of_stack(stack(tmp_path, access.NODE_CONTEXT, SERVER))
    variables = ours.builder_variables(tmp_path)
    sources, configuration = (Path(variables[BUILD_FILES[name]]) for name in ("apt.sources", "apt.conf"))
    assert "URIs: http://mirror.lan/debian\nSuites: bookworm\n" in sources.read_text()
    assert configuration.read_text() == 'Acquire::http::Proxy "http://p:3128";'
    # A later `up` finds the same text at the same place, and builds nothing anew.
    before = {file: file.read_bytes() for file in (sources, configuration)}
    assert ours.builder_variables(tmp_path) == variables
    assert {file: file.read_bytes() for file in before} == before
    # Another's cluster: its images may be built by several people, each with a way of their own.
    assert not access.of_stack(stack(tmp_path, "mine", "host: harbor.example.com")).builder_variables(tmp_path)
