"""What the tests of the service share."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# The service is run from its own folder, and is no installed package.
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "service"))

from tests.service.chatbot.servers import Server, chroma_server, redis_server

if TYPE_CHECKING:  # PyTorch is imported only by tests that need it
    from chatbot.engine.embedding import Embedder
    from chatbot.engine.quotation import QuotationEngine


@pytest.fixture(scope="session")
def embedder() -> "Embedder":
    from chatbot.engine.embedding import packaged_model
    from tests.service.chatbot.shared_embedder import SharedEmbedder

    return SharedEmbedder(packaged_model(), "cpu")


@pytest.fixture
def quotation(embedder: "Embedder") -> "QuotationEngine":
    from chatbot.engine.quotation import QuotationEngine

    return QuotationEngine(embedder, "quotation")


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.service.chatbot.tiny_llama import make_tiny_llama

    return make_tiny_llama(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with redis_server(folder) as server:
        yield server


@pytest.fixture
def chroma(tmp_path: Path) -> Iterator[Server]:
    with chroma_server(tmp_path / "chroma") as server:
        yield server
