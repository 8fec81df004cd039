"""The base of every part of a request, and its text."""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A part of a request whose fields are all known."""

    model_config = ConfigDict(extra="forbid")


HALVES = re.compile("[\ud800-\udfff]")


def without_halves(value: Any) -> Any:
    """A JSON value with a replacement character for each half of a surrogate pair.

    JSON can escape such a half, as of an emoji that a client has cut; no model, store or server can be sent one.

    Raises:
        ValueError: the value is nested too deeply to be read.
    """
    try:
        if isinstance(value, str):
            return value if value.isascii() else HALVES.sub("\ufffd", value)
        if isinstance(value, list):
            return [without_halves(item) for item in value]
        if isinstance(value, dict):
            return {without_halves(key): without_halves(item) for key, item in value.items()}
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    return value
