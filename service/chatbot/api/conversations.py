"""`/api/conversations`."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, StringConstraints

from chatbot.api.chat.protocol import CONVERSATION_ID
from chatbot.api.dependencies import BrowsingDep
from chatbot.errors import not_found
from chatbot.history.protocol import Conversation, Turn

router = APIRouter(prefix="/api/conversations")

Identifier = Annotated[str, Path(pattern=CONVERSATION_ID)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class NewConversation(BaseModel):
    """Body of `POST`, optional."""

    model_config = ConfigDict(extra="forbid")
    title: Title | None = None


class Rename(BaseModel):
    """Body of `PATCH`."""

    model_config = ConfigDict(extra="forbid")
    title: Title


@router.get("")
async def list_conversations(browsing: BrowsingDep) -> dict[str, Any]:
    """All, the most recently used first."""
    return {"data": [asdict(conversation) for conversation in await browsing.history.recent()]}


@router.post("", status_code=201)
async def create_conversation(browsing: BrowsingDep, body: NewConversation | None = None) -> dict[str, Any]:
    """A new, empty one; without a title it takes that of its first message."""
    conversation = Conversation(title=(body.title if body else None) or "")
    await browsing.history.create(conversation)
    return asdict(conversation)


@router.get("/{identifier}")
async def get_conversation(identifier: Identifier, browsing: BrowsingDep) -> dict[str, Any]:
    """One, with its messages."""
    conversation = await _existing(identifier, browsing)
    turns = await browsing.history.turns(identifier)
    return asdict(conversation) | {"messages": [_message(turn) for turn in turns]}


@router.patch("/{identifier}")
async def rename_conversation(identifier: Identifier, body: Rename, browsing: BrowsingDep) -> dict[str, Any]:
    """Give it a title."""
    if not await browsing.history.rename(identifier, body.title):
        raise not_found("conversation", identifier)
    return asdict(await _existing(identifier, browsing))


@router.delete("/{identifier}", status_code=204)
async def delete_conversation(identifier: Identifier, browsing: BrowsingDep) -> None:
    """Forget it."""
    if not await browsing.history.delete(identifier):
        raise not_found("conversation", identifier)


async def _existing(identifier: str, browsing: BrowsingDep) -> Conversation:
    conversation = await browsing.history.get(identifier)
    if conversation is None:
        raise not_found("conversation", identifier)
    return conversation


def _message(turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "content": turn.content, "created_at": turn.created_at}
    if turn.role == "assistant":
        message |= {"citations": list(turn.citations), "status": turn.status}
    return message
