"""``make doctor`` asks of this machine what a node needs only where this machine is to become one."""

from pathlib import Path
from unittest.mock import patch

import pytest

from ops import doctor, machine
from ops.paths import StackPaths

NODE_ONLY = {"processor", "root", "packages", "supervisor", "gpu", "certificates"}


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("config:\n  aihub:cluster:\n    context: aihub-local # our own node\n", True),
        ("config:\n  aihub:storage:\n    class: aihub-local-path\n", False),
        ("config:\n  aihub:cluster:\n    context: dev-meta\n", False),
    ],
)
def test_a_cluster_elsewhere_asks_for_no_root_and_no_card_here(tmp_path: Path, text: str, asked: bool) -> None:
    declared = tmp_path / "Pulumi.test.yaml"
    declared.write_text(text)
    enough = machine.Finding(name="disk", ok=True, says="enough")
    lasting = machine.Finding(name="certificates", ok=True, says="they last")
    with (
        patch.object(StackPaths, "declared_config", declared),
        patch.object(machine, "disk", return_value=enough),
        patch.object(machine, "certificates", return_value=[lasting]),
        patch("ops.preflight.run.from_outside", return_value=[]),
    ):
        found = {finding.name for finding in doctor.findings(StackPaths("test"))}
    assert (NODE_ONLY & found == NODE_ONLY) if asked else not NODE_ONLY & found
