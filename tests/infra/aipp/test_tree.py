"""The tree that Argo CD follows: the installation's files, its waves, and nothing that anybody else owns."""

import difflib
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from infra.aipp.names import FIELDS
from infra.aipp.plan import CALLS
from infra.aipp.tree import base
from infra.config import parse
from infra.manifests import ARGOCD, images_in
from tests.infra.aipp.support import declared, with_changes
from tests.infra.support import CONFIGS, config_file

WITH_VAULT = {"aipp.delivery": "argocd", "delivery.repository": "https://git.example.com/platform/gitops.git"}


def files(changes: Mapping[str, Any] | None = None, name: str = "aipp-from-vault") -> dict[str, str]:
    both = {**(WITH_VAULT if name == "aipp-from-vault" else {}), **(changes or {})}
    config = with_changes(config_file(CONFIGS / "valid" / f"{name}.yaml"), both)
    stack = parse(config)
    return base(stack, "test", declared(name, both))


def manifests(text: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text))


def wave(manifest: dict[str, Any]) -> int:
    return int(manifest["metadata"]["annotations"][f"{ARGOCD}/sync-wave"])


@pytest.fixture(scope="module")
def tree() -> dict[str, str]:
    return files()


def test_files_are_the_installations(tree: dict[str, str]) -> None:
    asked = {"namespace", "configmaps", "secrets", "pgvector", "redis", "rabbitmq", "ingress", *FIELDS}
    assert {name.removesuffix(".yaml") for name in tree} == asked | {"networkpolicies"}


def test_waves_are_the_installations(tree: dict[str, str]) -> None:
    waves = {name.removesuffix(".yaml"): {wave(each) for each in manifests(text)} for name, text in tree.items()}
    nothing_but = {name: found - {0} for name, found in waves.items()}
    assert {name for name, found in nothing_but.items() if not found} == {
        "namespace",
        "networkpolicies",
        "configmaps",
        "secrets",
    }
    assert {name: found for name, found in nothing_but.items() if found} == {
        **{key: {1} for key in ("pgvector", "redis", "rabbitmq")},
        "enai-backend": {2},
        **{key: {3} for key in ("enai-data-processor", "enai-linker", "enai-scheduler")},
        **{key: {4} for key in ("enai-front", "ingress")},
    }
    accounts = [each for text in tree.values() for each in manifests(text) if each["kind"] == "ServiceAccount"]
    assert {wave(each) for each in accounts} == {0}


def test_nobody_is_waited_for_in_a_later_wave(tree: dict[str, str]) -> None:
    of = {
        each["metadata"]["name"]: wave(each)
        for text in tree.values()
        for each in manifests(text)
        if each["kind"] in {"Deployment", "StatefulSet"}
    }
    assert all(of[call.target] < of[call.source] for call in CALLS if call.waits)


def test_no_secret_and_nothing_of_pulumis(tree: dict[str, str]) -> None:
    whole = "\n".join(tree.values())
    assert "canary" not in whole
    assert "pulumi" not in whole
    assert "Secret" not in {each["kind"] for text in tree.values() for each in manifests(text)}


def test_volumes_and_the_namespace_outlive_a_mistake_in_git(tree: dict[str, str]) -> None:
    kept = [
        each
        for text in tree.values()
        for each in manifests(text)
        if each["kind"] in {"PersistentVolumeClaim", "Namespace"}
    ]
    assert len(kept) == 5
    for each in kept:
        assert each["metadata"]["annotations"][f"{ARGOCD}/sync-options"] == "Prune=false,Delete=false"


def test_every_image_stands_in_the_tree_with_its_version(tree: dict[str, str]) -> None:
    images = {image for text in tree.values() for each in manifests(text) for image in images_in(each)}
    assert "harbor.dev.unifiedmeta.net/aipp/backend:v1.0.0" in images
    assert all(":" in image.rpartition("/")[2] for image in images)


def test_rendering_twice_gives_the_same_bytes_and_one_field_a_small_diff(tree: dict[str, str]) -> None:
    assert files() == tree
    after = files({"aipp.linker.memoryMib": 20480})
    (changed,) = [name for name in tree if tree[name] != after[name]]
    lines = difflib.unified_diff(tree[changed].splitlines(), after[changed].splitlines(), n=0, lineterm="")
    assert [line.strip("+- ") for line in lines if line[0] in "+-" and line[:3] not in ("---", "+++")] == [
        "memory: 16384Mi",
        "memory: 20480Mi",
        "memory: 16384Mi",
        "memory: 20480Mi",
    ]
    assert changed == "enai-linker.yaml"


def test_namespace_stays_pulumis_where_its_secrets_are() -> None:
    found = files(name="aipp-by-argocd")
    assert {"namespace.yaml", "networkpolicies.yaml", "secrets.yaml"}.isdisjoint(found)
