"""A Python that is too old is named as such, before it meets a line that it does not understand."""

import ast
import runpy
import sys

import pytest

from ops.paths import CHECKOUT

FIRST = CHECKOUT / "toolchain" / "__init__.py"


def test_an_old_python_is_named_with_the_way_to_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 12, "final", 0))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(FIRST))
    assert ended.value.code == 2
    assert "make PYTHON=python3.11" in capsys.readouterr().err


def test_an_old_python_can_read_what_says_so() -> None:
    ast.parse(FIRST.read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("package", ["ops", "cluster"])
def test_the_commands_ask_that_first(package: str) -> None:
    _docstring, first, *_rest = ast.parse((CHECKOUT / package / "__init__.py").read_text()).body
    assert isinstance(first, ast.Import)
    assert [name.name for name in first.names] == ["toolchain"]
