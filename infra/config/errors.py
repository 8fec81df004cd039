"""Turns what pydantic found into lines that a person can act on; a value is never quoted."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails


def known_fields(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Return the keys that are allowed at ``path`` below ``model``; empty where it leads nowhere."""
    current: type[BaseModel] | None = model
    for part in path:
        fields = {field.alias or name: field for name, field in current.model_fields.items()} if current else {}
        current = _section(fields[str(part)].annotation) if str(part) in fields else None
    return [field.alias or name for name, field in current.model_fields.items()] if current else []


def _section(annotation: Any) -> type[BaseModel] | None:
    """Return the section that an annotation (``Section`` or ``Section | None``) names, if any."""
    choices = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return next((choice for choice in choices if isinstance(choice, type) and issubclass(choice, BaseModel)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean X?)``, or nothing when no known word is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def lines(model: type[BaseModel], errors: Sequence[ErrorDetails]) -> list[str]:
    """Return one line per error: ``aihub:room.field: what is wrong (what to do)``, sorted."""
    return sorted(f"aihub:{'.'.join(map(str, error['loc'])) or '*'}: {_message(model, error)}" for error in errors)


def _message(model: type[BaseModel], error: ErrorDetails) -> str:
    *path, name = error["loc"] or ("",)
    if error["type"] == "extra_forbidden":
        return "is not a known field" + did_you_mean(str(name), known_fields(model, path))
    if error["type"] == "missing":
        return "is required"
    return error["msg"].removeprefix("Value error, ")
