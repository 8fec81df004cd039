"""`POST /v1/embeddings`."""

import base64
import struct
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from chatbot.api.dependencies import CollaboratorsDep

router = APIRouter()

MAX_TEXTS = 2048
MAX_CHARACTERS = 100_000

Text = Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS)]


class EmbeddingsRequest(BaseModel):
    """OpenAI's request; token ids as input and other sizes than the model's own are not supported."""

    model_config = ConfigDict(extra="forbid")

    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)]
    model: str | None = None
    encoding_format: Literal["float", "base64"] = "float"
    user: str | None = None


@router.post("/v1/embeddings")
async def create_embeddings(request: EmbeddingsRequest, parts: CollaboratorsDep) -> dict[str, Any]:
    """One unit vector for each text."""
    texts = [request.input] if isinstance(request.input, str) else request.input
    embeddings = await parts.engine.embed(texts)
    encode = _as_base64 if request.encoding_format == "base64" else list
    return {
        "object": "list",
        "model": request.model or (await parts.engine.describe()).id,
        "data": [
            {"object": "embedding", "index": index, "embedding": encode(vector)}
            for index, vector in enumerate(embeddings.vectors)
        ],
        "usage": {"prompt_tokens": embeddings.tokens, "total_tokens": embeddings.tokens},
    }


def _as_base64(vector: list[float]) -> str:
    """32-bit floats, little-endian: OpenAI's Python client asks for this by default."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
