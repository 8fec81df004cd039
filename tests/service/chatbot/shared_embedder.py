"""The embedding model, loaded once for all tests (it takes seconds, and so does importing PyTorch)."""

from chatbot.engine.embedding import Embedder


class SharedEmbedder(Embedder):
    """An engine that closes must leave it alone."""

    def close(self) -> None:
        pass
