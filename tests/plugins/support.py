"""The real engine, run on small programs."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
STAND_INS = CHECKOUT / "plugins" / "bin"
PREVIEW_STAND_INS = STAND_INS / "preview"
_TOOLCHAIN = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "aihub" / "toolchain"
SEARCH_PATH = os.pathsep.join(
    [str(Path(sys.executable).parent), *(str(each) for each in _TOOLCHAIN.glob("*/*/bin")), os.environ["PATH"]]
)
"""Python first: the language host runs the one that it finds."""


def engine_missing() -> str:
    """Return why the engine cannot run here; empty when it can."""
    for name in ("pulumi", "pulumi-language-python"):
        if shutil.which(name, path=SEARCH_PATH) is None:
            return f"no {name} on PATH or in {_TOOLCHAIN}"
    return ""


class Project:
    """One program, its state in a folder of its own, and the commands of the engine."""

    def __init__(self, folder: Path) -> None:
        """Make the project and its stack."""
        self.folder = folder
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text("name: tests\nruntime: python\n")
        self.variables: dict[str, str] = {}
        self.plugins = STAND_INS
        self.pulumi("stack", "init", "tests")

    def program(self, text: str) -> None:
        """Write the program."""
        (self.folder / "__main__.py").write_text(textwrap.dedent(text))

    def pulumi(self, *arguments: str, fails: bool = False) -> str:
        """Run the CLI and return all it said; it must fail exactly when ``fails`` says so."""
        environment = {
            **os.environ,
            "PATH": f"{self.plugins}{os.pathsep}{SEARCH_PATH}",
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "tests",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **self.variables,
        }
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def up(self, *arguments: str, fails: bool = False) -> str:
        """Run ``up`` without its preview."""
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, fails=fails)

    def state(self) -> str:
        """Return every file of the state, secrets as they are stored."""
        return "".join(
            path.read_text(errors="replace") for path in sorted((self.folder / "state").rglob("*")) if path.is_file()
        )

    def outputs(self) -> dict[str, Any]:
        """Return the stack's exports."""
        text = self.pulumi("stack", "output", "--json")
        found: dict[str, Any] = json.loads(text[text.index("{") :])
        return found
