"""The pipeline's own signing step on this machine, and cosign's word on what was signed."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from infra.ci.agents import COSIGN as FOLDER
from infra.ci.secret_files import SIGNING_FILES
from infra.secrets.files import fill
from ops.credentials import write_private
from ops.paths import CHECKOUT
from toolchain.ensure import ready
from toolchain.tools import COSIGN

PIPELINE = CHECKOUT / "ci" / "publish.groovy"
COMPONENTS = '{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": []}\n'
"""In place of what Trivy lists."""


def is_here() -> bool:
    """Say whether cosign was built; `python -m toolchain cosign` does it."""
    return ready(COSIGN) is not None


def sign(reference: str, secrets: Mapping[str, str], folder: Path) -> None:
    """Run the step that signs an image and what is in it, with the stack's key in ``folder``."""
    steps = re.findall(r"sh '''(.*?)'''", PIPELINE.read_text(), re.DOTALL)
    (step,) = (each for each in steps if "cosign sign" in each)
    for name, text in SIGNING_FILES.items():
        write_private(folder / name, fill(text, secrets))
    (folder / "api.cdx.json").write_text(COMPONENTS)
    settings = {"REFERENCE": reference, "NAME": "api", "AIHUB_PLAIN_HTTP": "true"}
    done = _run(["sh", "-ec", step.replace(FOLDER, str(folder))], folder, settings)
    assert done.returncode == 0, done.stderr[-1500:]


def holds(reference: str, public: Path, kind: str = "verify", *options: str) -> bool:
    """Say whether a signature of the key's is at an image, as a person would ask (docs/ci.md)."""
    key = ["--key", str(public), "--insecure-ignore-tlog", "--allow-http-registry"]
    return _run(["cosign", kind, *key, *options, reference], public.parent, {}).returncode == 0


def _run(argv: list[str], folder: Path, settings: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    place = ready(COSIGN)
    path = f"{place}:{os.environ['PATH']}"
    environment = {**os.environ, **settings, "HOME": str(folder), "PATH": path}
    return subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
