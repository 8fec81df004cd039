"""Builds: what the inputs ask for, and what is refused before anything runs."""

from pathlib import Path
from typing import Any

import pytest

from plugins.docker_build.build import build_from, failures_in, is_qualified, is_reference, with_digest
from plugins.protocol.values import UNKNOWN, Secret


@pytest.fixture
def context(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    return {"context": {"location": str(tmp_path)}}


def test_the_recipe_is_the_contexts_unless_another_is_named(context: dict[str, Any], tmp_path: Path) -> None:
    assert build_from(context).dockerfile == tmp_path / "Dockerfile"
    assert build_from({**context, "dockerfile": {"location": "other"}}).dockerfile == Path("other")
    assert build_from({**context, "dockerfile": {"inline": "FROM scratch"}}).dockerfile is None


def test_marks_do_not_reach_the_builder(context: dict[str, Any]) -> None:
    assert build_from({**context, "secrets": Secret({"pip.conf": "x"})}).secrets == {"pip.conf": "x"}


def test_good_inputs_have_no_failures(context: dict[str, Any]) -> None:
    assert failures_in({**context, "push": True, "tags": ["registry.local:5000/aihub/api:1", UNKNOWN]}) == {}


@pytest.mark.parametrize(
    ("inputs", "property_", "reason"),
    [
        ({"push": True}, "tags", "needs a tag"),
        ({"tags": ["Registry.local/API:1"]}, "tags[0]", "no image name"),
        ({"tags": ["--tls-verify=false"]}, "tags[0]", "no image name"),
        ({"cacheTo": [{"inline": {}}]}, "cacheTo", "needs the vendor's plugin"),
        ({"exports": [{"tar": {}}]}, "exports", "needs the vendor's plugin"),
        ({"context": {"location": "/nowhere"}}, "context.location", "/nowhere is not a folder"),
        ({"dockerfile": {"location": "/nowhere"}}, "dockerfile.location", "/nowhere is not a file"),
    ],
)
def test_what_cannot_be_built_is_named(
    context: dict[str, Any], inputs: dict[str, Any], property_: str, reason: str
) -> None:
    assert reason in failures_in({**context, **inputs})[property_]


def test_a_context_that_is_not_known_yet_is_not_looked_for() -> None:
    assert failures_in({"context": {"location": UNKNOWN}}) == {}


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("registry.local:5000/aihub/api:1", "registry.local:5000/aihub/api:1@sha256:0"),
        ("registry.local:5000/aihub/api", "registry.local:5000/aihub/api:latest@sha256:0"),
        ("docker.io/library/redis", "docker.io/library/redis:latest@sha256:0"),
    ],
)
def test_references_carry_tag_and_digest(tag: str, expected: str) -> None:
    assert with_digest(tag, "sha256:0") == expected


@pytest.mark.parametrize(
    ("tag", "qualified"),
    [("registry.local:5000/a", True), ("localhost/a:1", True), ("library/redis:7", False), ("a", False)],
)
def test_only_names_with_a_registry_can_be_pushed(tag: str, qualified: bool) -> None:
    assert is_reference(tag)
    assert is_qualified(tag) == qualified
