"""Two ways to a Chroma collection, server and embedded, behind one asynchronous interface."""

import asyncio
import importlib.util
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

# Read when chromadb is imported: no usage data leaves the machine.
os.environ["ANONYMIZED_TELEMETRY"] = "False"

import chromadb
from chromadb.config import Settings as ChromaSettings

from chatbot.settings import ConfigurationError

COLLECTION = "passages"
# Vectors are always ours: without this, Chroma would load a model of its own from the network.
OPTIONS: dict[str, Any] = {"embedding_function": None, "configuration": {"hnsw": {"space": "cosine"}}}


class Collection(Protocol):
    """What we use of a Chroma collection."""

    async def call(self, method: str, **arguments: Any) -> Any:
        """Run `get`, `query`, `upsert` or `delete`."""
        ...


Connect = Callable[[], Awaitable[Collection]]


class _ServerCollection:
    def __init__(self, collection: Any) -> None:
        self._collection = collection

    async def call(self, method: str, **arguments: Any) -> Any:
        return await getattr(self._collection, method)(**arguments)


class _EmbeddedCollection:
    def __init__(self, collection: Any) -> None:
        self._collection = collection

    async def call(self, method: str, **arguments: Any) -> Any:
        return await asyncio.to_thread(getattr(self._collection, method), **arguments)


def server(url: str) -> Connect:
    """Connects to a Chroma server, anew at each call.

    Raises:
        ConfigurationError: `url` is no http(s) URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("CHATBOT_CHROMA_URL must look like http://chroma.data.svc:8000")
    host, is_tls = parts.hostname, parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)

    async def connect() -> Collection:
        client = await chromadb.AsyncHttpClient(host=host, port=port, ssl=is_tls, settings=_settings())
        return _ServerCollection(await client.get_or_create_collection(COLLECTION, **OPTIONS))

    return connect


def embedded(folder: Path) -> Connect:
    """Opens a store in a folder; needs the full chromadb package, not its thin client.

    Raises:
        ConfigurationError: the package is the thin client.
    """
    if importlib.util.find_spec("chromadb_rust_bindings") is None:
        raise ConfigurationError(
            "CHATBOT_CHROMA_URL is not set, and the chromadb package here is the client only: give the address of a "
            "Chroma server, or install the full package (service/requirements.txt)"
        )

    def open_folder() -> Collection:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        client = chromadb.PersistentClient(path=folder, settings=_settings())
        return _EmbeddedCollection(client.get_or_create_collection(COLLECTION, **OPTIONS))

    async def connect() -> Collection:
        return await asyncio.to_thread(open_folder)

    return connect


def _settings() -> ChromaSettings:
    return ChromaSettings(anonymized_telemetry=False)
