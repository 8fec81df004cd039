"""The Linux within Windows, and the Windows around it, below one root folder: a test's is a temporary one."""

from dataclasses import dataclass
from pathlib import Path

from cluster import NodeError

NOT_PEOPLE = {"All Users", "Default", "Default User", "Public", "WDAGUtilityAccount", "defaultuser0"}
"""Folders below C:\\Users that belong to nobody."""


@dataclass(frozen=True, kw_only=True)
class Computer:
    """One PC."""

    root: Path = Path("/")
    """Where its files are."""
    windows_user: str | None = None
    """Folder below C:\\Users; None: the only one there is."""
    processors: int = 0
    """How many the Linux sees now."""

    @property
    def is_wsl(self) -> bool:
        """Whether this is a Linux within Windows."""
        version = self.at("/proc/version")
        return version.exists() and "microsoft" in version.read_text().lower()

    def at(self, path: str) -> Path:
        """Return where an absolute path of the Linux lies."""
        return self.root / path.lstrip("/")

    def read(self, path: str) -> str | None:
        """Return the text of a file as it is, with Windows' line ends where it has them; None: there is none."""
        try:
            with self.at(path).open(newline="", encoding="utf-8-sig") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def windows_home(self) -> str:
        """Return the person's folder in Windows, as the Linux sees it.

        Raises:
            NodeError: there are several, or none.
        """
        users = self.at("/mnt/c/Users")
        if self.windows_user:
            if users.is_dir() and not (users / self.windows_user).is_dir():
                raise NodeError(f"C:\\Users has no folder {self.windows_user}", f"choose one of: {self._people(users)}")
            return f"/mnt/c/Users/{self.windows_user}"
        people = self._people(users)
        if len(people) != 1:
            found = ", ".join(people) or "none, or C: is not mounted at /mnt/c"
            raise NodeError(f"whose Windows is it? C:\\Users has: {found}", "say --windows-user NAME")
        return f"/mnt/c/Users/{people[0]}"

    @staticmethod
    def _people(users: Path) -> list[str]:
        if not users.is_dir():
            return []
        return sorted(folder.name for folder in users.iterdir() if folder.is_dir() and folder.name not in NOT_PEOPLE)
