"""From the settings to the collaborators."""

from pathlib import Path

from opentelemetry.trace import SpanKind

from chatbot.api.dependencies import Browsing, Collaborators
from chatbot.auth import api_keys, engine_key
from chatbot.engine.loading import load_engine
from chatbot.engine.metered import MeteredEngine
from chatbot.engine.protocol import Engine
from chatbot.engine.traced import TracedEngine
from chatbot.history.file import FileHistory
from chatbot.history.pending import PendingHistory
from chatbot.history.protocol import History
from chatbot.sessions.file import FileTickets
from chatbot.sessions.protocol import Tickets
from chatbot.sessions.service import Sessions
from chatbot.settings import ConfigurationError, Settings
from chatbot.telemetry import Metrics


def collaborators_for(settings: Settings, metrics: Metrics) -> Collaborators:
    """Everything that the role needs; keys and stores before the model, whose loading takes long.

    Raises:
        ConfigurationError: something cannot be used as configured.
    """
    if settings.role == "engine":
        keys = engine_key(_given(settings.engine_key_file, "ENGINE_KEY_FILE"))
        traced = TracedEngine(load_engine(settings), SpanKind.INTERNAL)
        engine: Engine = MeteredEngine(traced, metrics, settings.public_model_name)
        return Collaborators(engine, keys, metrics, None)
    keys = api_keys(_given(settings.api_key_sha256_file, "API_KEY_SHA256_FILE"))
    history, tickets = _history(settings)
    engine = TracedEngine(load_engine(settings), SpanKind.CLIENT if settings.role == "api" else SpanKind.INTERNAL)
    if settings.role == "all":
        engine = MeteredEngine(engine, metrics, settings.public_model_name)
    return Collaborators(engine, keys, metrics, _browsing(settings, engine, metrics, history, tickets))


def _browsing(settings: Settings, engine: Engine, metrics: Metrics, history: History, tickets: Tickets) -> Browsing:
    # Neither OpenID Connect nor chromadb is among the engine's packages.
    from chatbot.oidc.login import oidc_login  # noqa: PLC0415
    from chatbot.retrieval import chroma_connection  # noqa: PLC0415
    from chatbot.retrieval.chroma import ChromaDocuments  # noqa: PLC0415
    from chatbot.retrieval.library import Library  # noqa: PLC0415
    from chatbot.retrieval.search import Search  # noqa: PLC0415

    if settings.chroma_url:
        documents = ChromaDocuments(chroma_connection.server(settings.chroma_url))
    else:
        documents = ChromaDocuments(chroma_connection.embedded(_given(settings.data_dir, "DATA_DIR") / "documents"))
    return Browsing(
        history=PendingHistory(history, metrics),
        library=Library(engine, documents),
        search=Search(engine, documents, metrics),
        sessions=Sessions(tickets),
        oidc=oidc_login(settings),
    )


def _history(settings: Settings) -> tuple[History, Tickets]:
    if settings.redis_url:
        # The engine's image has no Redis client.
        from chatbot.history.redis import RedisHistory  # noqa: PLC0415
        from chatbot.redis_client import connect  # noqa: PLC0415
        from chatbot.sessions.redis import RedisTickets  # noqa: PLC0415

        client = connect(settings.redis_url, settings.redis_password_file)
        return RedisHistory(client), RedisTickets(client)
    folder = _given(settings.data_dir, "DATA_DIR") / "history"
    return FileHistory(folder), FileTickets(folder / "sessions.json")


def _given(path: Path | None, setting: str) -> Path:
    if path is None:
        raise ConfigurationError(f"CHATBOT_{setting} is not set")
    return path
