"""The base of every part of a request."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A part of a request whose fields are all known."""

    model_config = ConfigDict(extra="forbid")
