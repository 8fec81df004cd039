"""A draft of a service that is new, pasted where it says."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from compose import draft
from compose.compare import ours
from compose.package import Shipped
from infra.config import StackConfig
from ops.diff import declared_by
from ops.paths import CHECKOUT


@pytest.fixture
def watcher(package: list[Shipped]) -> Shipped:
    (found,) = (each for each in package if each.name == "watcher")
    return found


def pasted(pieces: list[draft.Piece], folder: Path) -> None:
    """Put each piece where it says, into a copy of this checkout."""
    shutil.copytree(CHECKOUT / "infra", folder / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("images", "service", "policy"):
        (folder / name).symlink_to(CHECKOUT / name)
    for path in CHECKOUT.glob("Pulumi*.yaml"):
        shutil.copy(path, folder)
    for piece in pieces:
        file = folder / piece.file
        if not piece.above:
            assert not file.exists()
            file.write_text(piece.text)
            continue
        lines = file.read_text().splitlines(keepends=True)
        (place,) = (number for number, line in enumerate(lines) if line.rstrip("\n") == piece.above)
        file.write_text("".join([*lines[:place], piece.text, *lines[place:]]))


def test_draft_that_is_pasted_declares_the_service(
    package: list[Shipped], watcher: Shipped, stack: StackConfig, tmp_path: Path
) -> None:
    names = {each.name: ours(each) for each in package}
    pasted([*draft.pieces(watcher, stack, "dev", names)], tmp_path)
    objects = {each.what: each.content for each in declared_by(tmp_path, "dev")}
    (deployment,) = (each for what, each in objects.items() if what.startswith("Deployment") and "enai-watcher" in what)
    pod = deployment["spec"]["template"]["spec"]
    assert [each["name"] for each in pod["initContainers"]] == ["wait-for-backend", "wait-for-redis"]
    (container,) = pod["containers"]
    assert container["image"] == "harbor.dev.unifiedmeta.net/aipp/watcher:v0.1.0"
    assert container["resources"]["limits"]["memory"] == "768Mi"
    assert [each["name"] for each in container["env"]] == ["HOME", "WATCH_TOKEN"]
    assert deployment["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "3"
    (policy,) = (each for what, each in objects.items() if what.startswith("NetworkPolicy") and "enai-watcher" in what)
    assert "egress" in policy["spec"]


def test_draft_names_no_tag_that_moves(watcher: Shipped, stack: StackConfig) -> None:
    def settings(image: str) -> list[Any]:
        pieces = draft.pieces(dataclasses.replace(watcher, image=image), stack, "dev", {})
        return [yaml.safe_load(each.text) for each in pieces if each.file == "Pulumi.dev.yaml"]

    digest = f"sha256:{'0' * 64}"
    section, copies = settings("registry.example.com:10003/prod/watcher:latest")
    assert section["watcher"]["image"] == "harbor.dev.unifiedmeta.net/aipp/watcher"
    assert copies == [{"source": "prod/watcher:latest", "target": "aipp/watcher"}]
    section, copies = settings(f"registry.example.com:10003/prod/watcher:v2@{digest}")
    assert section["watcher"]["image"] == f"harbor.dev.unifiedmeta.net/aipp/watcher:v2@{digest}"
    assert copies == [{"source": f"prod/watcher:v2@{digest}", "target": "aipp/watcher:v2"}]


def test_draft_says_what_is_needed_of_the_stacks_file(watcher: Shipped, stack: StackConfig) -> None:
    ports = frozenset({80, 9000, 9001})
    shipped = dataclasses.replace(watcher, name="Text_Miner", gpus=-1, scratch=frozenset({"/run"}), ports=ports)
    pieces = [*draft.pieces(shipped, stack, "dev", {})]
    section = next(yaml.safe_load(each.text) for each in pieces if each.file == "Pulumi.dev.yaml")["textMiner"]
    assert section == {
        "image": "harbor.dev.unifiedmeta.net/aipp/watcher:v0.1.0",
        "port": 9000,
        "memoryMib": 768,
        "environment": {"WATCH_EVERY": ""},
        "secretEnvironment": {"WATCH_TOKEN": "watchToken"},
        "writableFolders": ["/run"],
        "volumes": {"var-lib-watcher": {"folder": "/var/lib/watcher"}},
    }
    assert pieces[0].file == "infra/aipp/text_miner.py"
    assert 'super().__init__("aihub:aipp:TextMiner", name, {}, opts)' in pieces[0].text
    assert "gpu_count=1," in pieces[0].text
    # Its neighbours are not known here: the names that they would get stand in the calls, and nobody waits for them.
    (calls,) = (each.text for each in pieces if "Call(" in each.text)
    assert "source=TEXT_MINER, target=REDIS" in calls
