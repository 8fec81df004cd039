"""``make documents DIR=...``: put a folder's documents where the chat finds them."""

from collections.abc import Callable, Iterable
from pathlib import Path

from ops.clients.chat import MOST_DOCUMENT_BYTES, ChatClient, ChatError, HungUpError
from ops.errors import OpsError
from ops.paths import CHECKOUT, StackPaths
from ops.session import resume

KINDS = (".md", ".txt", ".html", ".htm", ".pdf", ".docx")
OWN = ("README.md", "docs")
LONG_BYTES = 2**20
"""From here on a document takes minutes on a processor: two cores embed 9 to 16 KiB a second."""


def documents_below(folder: Path) -> list[Path]:
    """Return the documents below ``folder`` (or the one file it names), sorted; what is hidden in it is left out.

    Raises:
        OpsError: there is no such folder, or nothing in it that can be read.
    """
    if not folder.exists():
        raise OpsError(f"{folder} does not exist", "name a folder: make documents DIR=path/to/folder")
    files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    below = [f for f in files if not any(part.startswith(".") for part in f.relative_to(folder).parts)]
    found = [f for f in below if f.suffix.lower() in KINDS]
    if not found:
        raise OpsError(f"{folder} holds no {', '.join(KINDS)} file", "put documents there, or name another folder")
    return found


def own() -> list[tuple[str, Path]]:
    """Return this project's own documents: the chat's first knowledge."""
    return named(CHECKOUT, [path for name in OWN for path in documents_below(CHECKOUT / name)])


def load(chat: ChatClient, files: Iterable[tuple[str, Path]], say: Callable[[str], None]) -> int:
    """Upload ``(name, path)`` pairs; say of each what came of it; return how many were refused."""
    refused = 0
    for name, path in files:
        try:
            with path.open("rb") as file:
                content = file.read(MOST_DOCUMENT_BYTES + 1)
            if LONG_BYTES < len(content) <= MOST_DOCUMENT_BYTES:
                say(f"{name}: {len(content) / 2**20:.1f} MiB; without a graphics card that takes minutes")
            document = chat.upload(name, content)
            say(f"{name}: {document['passages']} passages")
        except (ChatError, HungUpError, OSError) as error:
            refused += 1
            say(f"{name}: not loaded: {error}")
    return refused


def named(base: Path, files: Iterable[Path]) -> list[tuple[str, Path]]:
    """Give each file the name it has below ``base``."""
    return [(str(path.relative_to(base)), path) for path in files]


def run(paths: StackPaths, folder: Path | None) -> int:
    """Load a folder into the chat of the stack, or into the one that ``make chat`` runs; 1 when one was refused.

    Raises:
        OpsError: there is nothing to load, or no chat.
    """
    if folder is None:
        raise OpsError("no folder was named", "make documents DIR=path/to/folder")
    folder = folder.expanduser().resolve()
    files = documents_below(folder)
    chat = resume(paths).chat if paths.state.exists() else local_chat()
    return 1 if load(chat, named(folder.parent, files), print) else 0


def local_chat() -> ChatClient:
    """Return the chat that ``make chat`` started last.

    Raises:
        OpsError: none was ever started from this checkout.
    """
    paths = StackPaths("chat")
    if not paths.url.exists():
        raise OpsError("no chat was started from this checkout", "make chat, or make up")
    return ChatClient(url=paths.url.read_text(), api_key=paths.api_key.read_text().strip())
