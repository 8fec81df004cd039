"""`/api/conversations`."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, StringConstraints

from chatbot.api.chat.protocol import CONVERSATION_ID
from chatbot.api.dependencies import Browsing, BrowsingDep, OwnerDep
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
async def list_conversations(browsing: BrowsingDep, owner: OwnerDep) -> dict[str, Any]:
    """All of whoever asks, the most recently used first."""
    return {"data": [_head(conversation) for conversation in await browsing.history.recent(owner)]}


@router.post("", status_code=201)
async def create_conversation(
    browsing: BrowsingDep, owner: OwnerDep, body: NewConversation | None = None
) -> dict[str, Any]:
    """A new, empty one; without a title it takes that of its first message."""
    conversation = Conversation(owner=owner, title=(body.title if body else None) or "")
    await browsing.history.create(conversation)
    return _head(conversation)


@router.get("/{identifier}")
async def get_conversation(identifier: Identifier, browsing: BrowsingDep, owner: OwnerDep) -> dict[str, Any]:
    """One, with its messages."""
    conversation = await _existing(identifier, browsing, owner)
    turns = await browsing.history.turns(owner, identifier)
    return _head(conversation) | {"messages": [_message(turn) for turn in turns]}


@router.patch("/{identifier}")
async def rename_conversation(
    identifier: Identifier, body: Rename, browsing: BrowsingDep, owner: OwnerDep
) -> dict[str, Any]:
    """Give it a title."""
    if not await browsing.history.rename(owner, identifier, body.title):
        raise not_found("conversation", identifier)
    return _head(await _existing(identifier, browsing, owner))


@router.delete("/{identifier}", status_code=204)
async def delete_conversation(identifier: Identifier, browsing: BrowsingDep, owner: OwnerDep) -> None:
    """Forget it."""
    if not await browsing.history.delete(owner, identifier):
        raise not_found("conversation", identifier)


async def _existing(identifier: str, browsing: Browsing, owner: str) -> Conversation:
    conversation = await browsing.history.get(owner, identifier)
    if conversation is None:
        raise not_found("conversation", identifier)
    return conversation


def _head(conversation: Conversation) -> dict[str, Any]:
    return {name: value for name, value in asdict(conversation).items() if name != "owner"}


def _message(turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "content": turn.content, "created_at": turn.created_at}
    if turn.role == "assistant":
        return message | {"citations": list(turn.citations), "status": turn.status}
    return message | {"images": list(turn.images)}
