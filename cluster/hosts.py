"""The one line of ``/etc/hosts`` that is ours."""

from pathlib import Path

HOSTS = Path("/etc/hosts")
LINE = "127.0.0.1 registry.local  # aihub node; removed by: python -m cluster reset"


def names_registry(text: str) -> bool:
    """Say whether a hosts file already leads ``registry.local`` to this machine."""
    rows = (line.partition("#")[0].split() for line in text.splitlines())
    return any(row[:1] == ["127.0.0.1"] and "registry.local" in row[1:] for row in rows)


def added(text: str) -> str:
    """Return the file with our line in it, once."""
    if names_registry(text):
        return text
    return text + ("" if text.endswith("\n") or not text else "\n") + LINE + "\n"


def removed(text: str) -> str:
    """Return the file without our line; a line that somebody else wrote stays."""
    return "".join(line for line in text.splitlines(keepends=True) if line.strip() != LINE)


def rewrite(text: str, path: Path = HOSTS) -> None:
    """Write the file in place: in containers it is a mount and cannot be replaced."""
    if path.read_text() != text:
        path.write_text(text)
