"""`GET /v1/models`."""

import time
from typing import Any

from fastapi import APIRouter

from chatbot.api.dependencies import CollaboratorsDep

router = APIRouter()
STARTED = int(time.time())


@router.get("/v1/models")
async def list_models(parts: CollaboratorsDep) -> dict[str, Any]:
    """The one model, with the fields of vLLM's list (`max_model_len`, tokens), `engine`, `tools` and `images`."""
    info = await parts.engine.describe()
    model = {
        "id": info.id,
        "object": "model",
        "created": STARTED,
        "owned_by": "aihub",
        "engine": info.engine,
        "max_model_len": info.context_tokens,
        "tools": info.tools,
        "images": info.images,
    }
    return {"object": "list", "data": [model]}
