"""The machine's own way to Debian (a mirror, a proxy), lent to what is built here and left in none of it."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

SUITE = "bookworm"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PUBLIC = ("deb.debian.org", "security.debian.org", "ftp.debian.org")
CONFIGURATION_KEYS = re.compile(r'Acquire::(?:https?|ftp)::.*(?:Proxy|CaInfo|Verify|SslCert|SslKey).* ".+";', re.I)


def _stanzas(text: str) -> Iterator[dict[str, list[str]]]:
    """Yield the fields of each deb822 stanza, values split at blanks."""
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if ":" in line and not line.startswith(("#", " "))]
        yield {name.strip(): value.split() for name, _, value in (line.partition(":") for line in lines)}


def mirrors(sources: dict[str, str]) -> list[tuple[str, str]]:
    """Return (URI, suite) of the mirrors of Debian's ``SUITE`` that the machine uses instead of the public ones.

    Args:
        sources: apt's source files, text by file name (``.list`` or ``.sources``).
    """
    entries: list[tuple[str, str, list[str]]] = []
    for name, text in sources.items():
        if name.endswith(".sources"):
            for fields in _stanzas(text):
                if "deb" in fields.get("Types", []) and fields.get("Enabled") != ["no"]:
                    uris, suites = fields.get("URIs", []), fields.get("Suites", [])
                    entries += [(uri, suite, fields.get("Components", [])) for uri in uris for suite in suites]
        else:
            for line in text.splitlines():
                if found := re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)", line):
                    entries.append((found[1], found[2], found[3].split()))
    wanted = {SUITE, f"{SUITE}-updates", f"{SUITE}-security"}
    debian = [entry for entry in entries if entry[1] in wanted and "main" in entry[2]]
    if all(any(host in uri for host in PUBLIC) for uri, _, _ in debian):
        return []
    return [(uri, suite) for uri, suite, _ in debian]


def machine_mirrors() -> list[tuple[str, str]]:
    """Return :func:`mirrors` of this machine."""
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    return mirrors({path.name: path.read_text() for path in files if path.is_file()})


def configuration_lines(dump: str) -> list[str]:
    """Return the lines of ``apt-config dump`` that say how to reach a mirror: proxies and certificates."""
    return [line for line in dump.splitlines() if CONFIGURATION_KEYS.fullmatch(line)]


def machine_configuration_lines() -> list[str]:
    """Return :func:`configuration_lines` of this machine; none where it has no apt."""
    if not shutil.which("apt-config"):
        return []
    return configuration_lines(
        subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    )


def build_secrets(folder: Path) -> dict[str, Path]:
    """Write what a Dockerfile's apt step may need below ``folder``; return the files by secret id.

    The ids are ``apt.sources`` and ``apt.conf``; a machine that uses the public mirrors directly has neither.
    """
    # The file stands in place of a .sources file, so the entries are deb822.
    stanzas = [
        f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n"
        for uri, suite in machine_mirrors()
    ]
    texts = {"apt.sources": "\n".join(stanzas), "apt.conf": "\n".join(machine_configuration_lines())}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = {}
    for name, text in texts.items():
        (folder / name).write_text(text)
        if text:
            written[name] = folder / name
    return written
