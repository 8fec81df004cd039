"""A piece of a document that has a place of its own."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """Text and where it stands: `page 3`, `Setup > Network`, `line 12`, or nothing."""

    text: str
    location: str


class UnreadableError(Exception):
    """The bytes are not what the document's name says; `code` names the fault for programs."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def damaged(kind: str) -> UnreadableError:
    """The document breaks the rules of its kind."""
    return UnreadableError(
        f"it is not a readable {kind} file (damaged, or another kind under this name).", "document_damaged"
    )
