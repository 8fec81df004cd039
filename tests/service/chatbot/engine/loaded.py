"""A model as the engine role loads it."""

from pathlib import Path

from chatbot.engine import loading
from chatbot.engine.embedding import Embedder
from chatbot.engine.transformers import TransformersEngine
from chatbot.settings import Settings


def load(folder: Path, embedder: Embedder, tmp_path: Path) -> TransformersEngine:
    """Load the model in ``folder`` onto the processor; ``tmp_path``: where its key may lie."""
    key = tmp_path / "key"
    key.write_text("engine-key")
    settings = Settings(role="engine", engine_key_file=key, model=str(folder), device="cpu")
    engine = loading._load_transformers(settings, str(folder), "cpu", embedder)
    assert isinstance(engine, TransformersEngine)
    return engine
