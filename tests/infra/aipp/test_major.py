"""A new major of PostgreSQL, as docs/upgrades.md has it: who writes is ended, another volume begins beside the old."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from infra.aipp.names import PGVECTOR
from infra.aipp.plan import CALLS
from infra.gitops import render
from ops.paths import CHECKOUT
from tests.apiserver import BINARIES
from tests.infra.aipp.support import declared, of_package, spec_of

SNIPPETS = re.findall(r"```yaml\n(.*?)```", (CHECKOUT / "docs/upgrades.md").read_text(), re.DOTALL)


def test_another_volume_is_declared_and_the_server_mounts_it() -> None:
    (written,) = (yaml.safe_load(each)["pgvector"] for each in SNIPPETS if "pgvector:" in each)
    recording = declared(changes={"aipp.pgvector.volume": written["volume"]})
    claims = {each.object_name for each in of_package(recording) if each.kind == "PersistentVolumeClaim"}
    assert written["volume"] in claims
    assert "pgvector-data" not in claims
    (mounted,) = (
        each["persistentVolumeClaim"]["claimName"]
        for each in spec_of(recording, PGVECTOR)["volumes"]
        if "persistentVolumeClaim" in each
    )
    assert mounted == written["volume"]


def test_the_written_lines_end_everybody_who_writes(tmp_path: Path) -> None:
    kubectl = shutil.which("kubectl") or shutil.which("kubectl", path=str(BINARIES))
    if not kubectl:
        pytest.skip(f"no kubectl on PATH or in {BINARIES}")
    render("dev", tmp_path)
    overlay = tmp_path / "gitops-apps/apps/aipp/k8s/overlays/dev"
    (lines,) = (each for each in SNIPPETS if "replicas:" in each)
    with (overlay / "kustomization.yaml").open("a") as file:
        file.write(yaml.safe_dump(yaml.safe_load(lines)))
    done = subprocess.run([kubectl, "kustomize", str(overlay)], check=True, capture_output=True, text=True)
    ended = {
        each["metadata"]["name"]
        for each in yaml.safe_load_all(done.stdout)
        if each.get("spec", {}).get("replicas") == 0
    }
    assert ended == {call.source for call in CALLS if call.target == PGVECTOR}
