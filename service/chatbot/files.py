"""Writing files so that a crash leaves the old or the new content, never half of one."""

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from chatbot.settings import ConfigurationError


class FolderLock:
    """One process at a time works in a folder; the operating system lets go of it when the process ends."""

    def __init__(self, folder: Path) -> None:
        """Make the folder (mode 0700) and take it.

        Raises:
            ConfigurationError: it is taken, or cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = (folder / ".lock").open("w")
        except OSError as error:
            raise ConfigurationError(f"CHATBOT_DATA_DIR: cannot write {folder}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise ConfigurationError(
                f"CHATBOT_DATA_DIR: another chat service uses {folder}: stop it, or give this one another folder"
            ) from None

    def release(self) -> None:
        """Let go of the folder."""
        self._file.close()


def append_line(path: Path, line: str) -> None:
    """Add one line, on the disk when this returns; a full disk leaves the file as it was.

    Behind a line that was cut short all the same (by a crash) it begins a new one.
    """
    with path.open("a+b") as file:
        size = file.tell()
        file.seek(max(size - 1, 0))
        start = "" if file.read() in (b"", b"\n") else "\n"
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{start}{line}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            os.truncate(path, size)
        raise
    if size == 0:
        _sync_folder(path.parent)


def replace_file(path: Path, text: str) -> None:
    """Write a file as a whole (mode 0600), on the disk when this returns."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
