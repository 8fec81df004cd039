"""Rules of the house, checked on every component that ``infra`` holds."""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import Any, get_origin, get_type_hints

import pytest
from pulumi import ComponentResource, Output

import infra
from infra.gitops import declare_workload
from infra.recorder import Recording, record
from tests.infra.support import CANARIES, CONFIGS, config_file


def _classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(infra.__path__, "infra."):
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if found.__module__ == module.name:
                yield found


COMPONENTS = sorted(
    (each for each in _classes() if issubclass(each, ComponentResource)), key=lambda each: each.__name__
)
ARGUMENTS = sorted((each for each in _classes() if each.__name__.endswith("Args")), key=lambda each: each.__name__)


def _source(of: type) -> ast.ClassDef:
    (definition,) = ast.parse(inspect.getsource(of)).body
    assert isinstance(definition, ast.ClassDef)
    return definition


def _undocumented_fields(of: type) -> list[str]:
    """Return the annotated fields that no docstring follows."""
    body = _source(of).body
    return [
        ast.unparse(field.target)
        for field, after in zip(body, [*body[1:], None], strict=True)
        if isinstance(field, ast.AnnAssign)
        and not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and after.value.value)
    ]


def _outputs(of: type) -> dict[str, Any]:
    return inspect.get_annotations(of)


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    """Everything the valid configurations declare; together they use every component."""
    files = sorted((CONFIGS / "valid").glob("*.yaml"))
    runs = [declare_workload, importlib.import_module("infra.program").deploy]
    return [record(run, stack="test", config=config_file(file), secrets=CANARIES) for file in files for run in runs]


def test_there_are_components() -> None:
    assert len(COMPONENTS) >= 12


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda each: each.__name__)
def test_constructor_takes_name_args_opts(component: type[ComponentResource]) -> None:
    parameters = inspect.signature(component.__init__).parameters
    assert list(parameters) == ["self", "name", "args", "opts"]
    assert get_type_hints(component.__init__)["args"].__name__ == f"{component.__name__}Args"


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda each: each.__name__)
def test_token_names_the_room_and_outputs_are_registered_last(component: type[ComponentResource]) -> None:
    room = component.__module__.split(".")[1]
    (init,) = (
        node for node in _source(component).body if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )
    first, last = ast.unparse(init.body[0]), ast.unparse(init.body[-1])
    assert f"'aihub:{room}:{component.__name__}'" in first
    assert last.startswith("self.register_outputs(")


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda each: each.__name__)
def test_every_output_and_class_is_documented(component: type[ComponentResource]) -> None:
    assert component.__doc__
    assert _undocumented_fields(component) == []
    assert all(get_origin(hint) is Output for hint in _outputs(component).values())


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=lambda each: each.__name__)
def test_arguments_are_frozen_keyword_only_and_documented(arguments: type) -> None:
    parameters = arguments.__dataclass_params__  # type: ignore[attr-defined]  # set by the decorator
    assert parameters.frozen
    assert all(field.kw_only for field in dataclasses.fields(arguments))
    assert arguments.__doc__
    assert not arguments.__doc__.startswith(f"{arguments.__name__}(")
    assert _undocumented_fields(arguments) == []


def test_registered_outputs_are_the_declared_ones(recordings: list[Recording]) -> None:
    declared = {f"aihub:{each.__module__.split('.')[1]}:{each.__name__}": _outputs(each) for each in COMPONENTS}
    seen = set()
    for recording in recordings:
        for resource in recording.resources:
            if resource.type in declared:
                assert set(recording.outputs[resource.urn]) == set(declared[resource.type]), resource.name
                seen.add(resource.type)
    assert seen == set(declared)


def test_every_object_belongs_to_a_component_and_every_claim_is_kept(recordings: list[Recording]) -> None:
    for recording in recordings:
        for resource in recording.objects():
            assert recording.outermost(resource).type.startswith("aihub:"), resource.name
            assert resource.retained == (resource.kind in {"PersistentVolumeClaim", "Namespace"}), resource.name


def test_nothing_is_declared_as_null(recordings: list[Recording]) -> None:
    def nulls(value: Any) -> bool:
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return value is None or any(nulls(child) for child in children)

    assert [each.name for recording in recordings for each in recording.resources if nulls(each.properties)] == []


def test_manifests_in_variables_are_annotated() -> None:
    """Without a type mypy joins Pulumi's recursive input types, for minutes and in gigabytes."""
    for module in pkgutil.walk_packages(infra.__path__, "infra."):
        tree = ast.parse(inspect.getsource(importlib.import_module(module.name)))
        bare = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        used = {
            keyword.value.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and "k8s" in ast.unparse(node.func)
            for keyword in node.keywords
            if isinstance(keyword.value, ast.Name)
        }
        assert not bare & used, f"{module.name}: annotate {', '.join(sorted(bare & used))}, e.g. as ObjectMetaArgsDict"


def test_no_stack_is_named_in_the_program() -> None:
    for module in pkgutil.walk_packages(infra.__path__, "infra."):
        source = inspect.getsource(importlib.import_module(module.name))
        assert not re.search(r"""(==|!=|\bin)\s*\(?["'](local|wsl|dev)["']""", source), module.name
