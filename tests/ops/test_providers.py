"""Pulumi's plugins: whose are used, and that nobody waits for a vendor that is out of reach."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from ops import paths, providers
from ops.engine import Engine
from ops.paths import StackPaths


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """No plugin is here, and the vendor is out of reach; what would be installed is noted."""
    installs = Mock(return_value=True)
    monkeypatch.setattr(providers, "VENDOR", "http://127.0.0.1:9")
    monkeypatch.setattr(providers, "_installed", lambda name, version: False)
    monkeypatch.setattr(providers, "_docker_answers", lambda: True)
    monkeypatch.setattr(providers, "_install", installs)
    return installs


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackPaths:
    monkeypatch.setattr(paths, "PRIVATE", tmp_path / ".aihub")
    return StackPaths("local")


def written_down(stack: StackPaths, using: providers.Providers) -> Path:
    """Return the file that ``make up`` leaves behind."""
    engine = Engine(paths=stack, binaries=(), providers=using, kubeconfig=None, variables={})
    stack.environment.write_text(engine.shell_lines())
    return stack.environment


def test_nothing_is_installed_from_a_vendor_out_of_reach(asked: Mock) -> None:
    assert providers.for_up(Path("/nowhere"), own_node=False).path == (providers.STAND_INS,)
    asked.assert_not_called()


def test_what_is_missing_is_installed_where_the_vendor_answers(asked: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_vendor_answers", lambda: True)
    assert providers.for_up(Path("/nowhere"), own_node=False).path == ()
    assert [call.args[1] for call in asked.call_args_list] == ["kubernetes", "docker-build"]


def test_without_a_docker_engine_the_vendors_plugin_would_make_no_image(
    asked: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "_vendor_answers", lambda: True)
    monkeypatch.setattr(providers, "_installed", lambda name, version: True)
    monkeypatch.setattr(providers, "_docker_answers", lambda: False)
    using = providers.for_up(Path("/nowhere"), own_node=False)
    assert using.path == (providers.STAND_INS,)
    assert "needs a Docker engine, and none answers" in using.said
    asked.assert_not_called()
    assert providers.for_up(Path("/nowhere"), needed=("kubernetes",), own_node=False).path == ()


def test_our_own_nodes_images_are_built_where_its_base_image_is(asked: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_vendor_answers", lambda: True)
    monkeypatch.setattr(providers, "_installed", lambda name, version: True)
    assert providers.for_up(Path("/nowhere"), own_node=False).path == ()
    using = providers.for_up(Path("/nowhere"), own_node=True)
    assert using.path == (providers.STAND_INS,)
    assert "buildah's storage" in using.said
    asked.assert_not_called()


def test_a_stack_that_is_up_keeps_its_stand_ins(
    asked: Mock, stack: StackPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written_down(stack, providers.for_up(Path("/nowhere"), own_node=False))
    monkeypatch.setattr(providers, "_vendor_answers", Mock(side_effect=AssertionError("the vendor was asked")))
    assert providers.in_use(file, Path("/nowhere"), own_node=False).path == (providers.STAND_INS,)


def test_a_stack_that_is_up_keeps_the_vendors_plugins(
    asked: Mock, stack: StackPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "_installed", lambda name, version: True)
    file = written_down(stack, providers.for_up(Path("/nowhere"), own_node=False))
    assert providers.in_use(file, Path("/nowhere"), own_node=False).path == ()
    asked.assert_not_called()
