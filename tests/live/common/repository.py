"""A working copy that commits and pushes, as a person would."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.live.common.gitea import Gitea

ANSWER = "service/chatbot/api/chat/answer.py"
HEAD = '"created": answer.created, "model": answer.model'
"""Of the JSON object that an answer becomes."""


@dataclass(frozen=True)
class Repository:
    """One repository of the Git server and its working copy on this machine."""

    gitea: Gitea
    project: str
    """OWNER/NAME; the server has it, empty."""
    folder: Path

    def make(self) -> None:
        """Make the working copy."""
        self.folder.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch=main")

    def commit_and_push(self, message: str) -> str:
        """Commit everything, push it, and return the commit."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)
        self._git("push", "--quiet", f"{self.gitea.url}/{self.project}.git", "HEAD:main")
        return self.head()

    def head(self) -> str:
        """Return the commit of the working copy."""
        return self._git("rev-parse", "HEAD")

    def take_over(self) -> None:
        """Be where the server is: what others pushed is here, what was not pushed is gone."""
        self._git("fetch", "--quiet", f"{self.gitea.url}/{self.project}.git", "main")
        self._git("reset", "--quiet", "--hard", "FETCH_HEAD")

    def replace(self, path: str, old: str, new: str) -> None:
        """Change a file of the working copy."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new, 1))

    def write_version(self, version: str) -> None:
        """Have the service's answers say which version they are from."""
        file = self.folder / ANSWER
        text = re.sub(r', "system_fingerprint": "\w+"', "", file.read_text())
        assert HEAD in text, f"{ANSWER} has no {HEAD!r}"
        file.write_text(text.replace(HEAD, f'{HEAD}, "system_fingerprint": "{version}"', 1))

    def commit_aside(self, branch: str, path: str, text: str) -> str:
        """Push one file more on a branch of its own, be back on the main one, and return the commit."""
        self._git("checkout", "--quiet", "-b", branch)
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)
        self._git("add", path)
        self._git("commit", "--quiet", "--message", f"Add {path}")
        self._git("push", "--quiet", f"{self.gitea.url}/{self.project}.git", f"HEAD:{branch}")
        commit = self.head()
        self._git("checkout", "--quiet", "main")
        return commit

    def _git(self, *arguments: str) -> str:
        # The login by the environment: an argument could be read by any process of this machine.
        environment = {
            **os.environ,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: {self.gitea.authorization}",
            "GIT_TERMINAL_PROMPT": "0",
            **{f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in _PERSON.items()},
        }
        command = ["git", "-C", str(self.folder), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr.strip()[-800:]}"
        return done.stdout.strip()


_PERSON = {"NAME": "Platform", "EMAIL": "platform@aihub.local"}
