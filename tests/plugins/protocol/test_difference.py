"""Differences: every changed place, under the engine's name for it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.protocol.difference import Kind, Path, differences, property_path
from plugins.protocol.values import UNKNOWN

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=12,
)


@given(_VALUES)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert list(differences(value, value)) == []


@given(_VALUES, _VALUES)
def test_different_values_differ_somewhere(old: Any, new: Any) -> None:
    # Python calls 1 and True equal; so does the comparison, as does everything that reads these values.
    assert bool(list(differences(old, new))) == (old != new)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 2}, [(("a",), Kind.UPDATE)]),
        ({"a": 1}, {}, [(("a",), Kind.DELETE)]),
        ({}, {"a": 1}, [(("a",), Kind.ADD)]),
        ({"a": [1]}, {"a": [1, 2]}, [(("a", 1), Kind.ADD)]),
        ({"a": [1, 2]}, {"a": [1]}, [(("a", 1), Kind.DELETE)]),
        ({"a": {"b": 1}}, {"a": UNKNOWN}, [(("a",), Kind.UPDATE)]),
        ({"a": 1}, {"a": "1"}, [(("a",), Kind.UPDATE)]),
    ],
)
def test_each_kind_of_change_is_named(old: Any, new: Any, expected: list[tuple[Path, Kind]]) -> None:
    assert list(differences(old, new)) == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("spec", "containers", 0, "image"), "spec.containers[0].image"),
        (("metadata", "labels", "app.kubernetes.io/name"), 'metadata.labels["app.kubernetes.io/name"]'),
        (("data", 'a"b\\c'), 'data["a\\"b\\\\c"]'),
    ],
)
def test_paths_are_written_as_the_engine_reads_them(path: Path, text: str) -> None:
    assert property_path(path) == text
