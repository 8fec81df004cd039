"""From a question to the citations of its answer."""

import asyncio
import time

from chatbot.engine.protocol import Engine
from chatbot.retrieval import ranking
from chatbot.retrieval.citations import Citation
from chatbot.retrieval.protocol import Documents
from chatbot.telemetry import Metrics
from chatbot.tracing import operation

TOP_K = 4
CANDIDATES = 24
QUESTION_CHARACTERS = 2000
SPAN = {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "documents"}


class Search:
    """Finds passages: by meaning, and for Korean also by the words as written."""

    def __init__(self, engine: Engine, documents: Documents, metrics: Metrics) -> None:
        self._engine = engine
        self._documents = documents
        self._metrics = metrics

    async def citations(self, question: str) -> list[Citation]:
        """The best passages for `question`, numbered from 1, the best first; none when nothing is relevant.

        Raises:
            StoreUnavailableError, EngineUnavailableError: the store or the embedding model is away.
        """
        with operation("retrieval documents", attributes=SPAN) as span:
            citations = await self._citations(question)
            span.set_attribute("chatbot.retrieval.passages", len(citations))
            return citations

    async def _citations(self, question: str) -> list[Citation]:
        started = time.perf_counter()
        # The embedding model reads no further anyway.
        question = question[:QUESTION_CHARACTERS]
        (vector,) = (await self._engine.embed([question])).vectors
        near, containing = await asyncio.gather(
            self._documents.nearest(vector, CANDIDATES),
            self._documents.containing(vector, ranking.search_words(question), CANDIDATES),
        )
        chosen = ranking.best(question, [*near, *containing], TOP_K)
        self._metrics.retrieval.observe(time.perf_counter() - started)
        self._metrics.passages.observe(len(chosen))
        return [
            Citation(number, passage.document_id, passage.title, passage.text, round(score, 4), passage.location)
            for number, (score, passage) in enumerate(chosen, start=1)
        ]
