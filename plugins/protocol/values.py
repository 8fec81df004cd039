"""Property values: between the engine's protobuf structures and plain Python.

Plain Python here is what JSON knows, plus two marks that the engine attaches to values: ``Secret`` (the value must be
stored encrypted and shown nowhere) and ``UNKNOWN`` (known only after an ``up``). The SDK's own ``PropertyValue`` wraps
every leaf instead, which would make each manifest a tree to unpack before it can be sent anywhere.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from google.protobuf import struct_pb2

SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a tag of the protocol, not a password
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What a value that is not yet known looks like to the engine, when it is sent as text."""
_UNKNOWN_TEXTS: Final = frozenset(
    (
        UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # list
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    )
)
SHORTEST_HIDDEN: Final = 6
"""Secret texts shorter than this are hidden only where they were given, not wherever they occur: chance finds them."""


class Unknown(Enum):
    """The type of ``UNKNOWN``."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True)
class Secret:
    """A value that the state keeps encrypted and that no message may show."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(...)"


def decode(properties: struct_pb2.Struct) -> dict[str, Any]:
    """Return the engine's properties as plain Python, marks kept."""
    return {key: _decode_value(value) for key, value in properties.fields.items()}


def _decode_value(value: struct_pb2.Value) -> Any:  # noqa: PLR0911 - one line for each kind
    match value.WhichOneof("kind"):
        case "bool_value":
            return value.bool_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return UNKNOWN if value.string_value in _UNKNOWN_TEXTS else value.string_value
        case "list_value":
            return [_decode_value(item) for item in value.list_value.values]
        case "struct_value":
            fields = value.struct_value.fields
            signature = fields.get(SIGNATURE_KEY)
            if signature is not None and signature.string_value == SECRET_SIGNATURE:
                return Secret(_decode_value(fields["value"]))
            return decode(value.struct_value)
    return None


def encode(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return plain Python as the engine's properties.

    Raises:
        TypeError: a value is none of JSON's kinds, ``Secret`` or ``UNKNOWN``.
    """
    return struct_pb2.Struct(fields={key: _encode_value(value) for key, value in properties.items()})


def _encode_value(value: Any) -> struct_pb2.Value:  # noqa: PLR0911 - one line for each kind
    match value:
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case Unknown():
            return struct_pb2.Value(string_value=UNKNOWN_TEXT)
        case Secret():
            return struct_pb2.Value(
                struct_value=struct_pb2.Struct(
                    fields={
                        SIGNATURE_KEY: struct_pb2.Value(string_value=SECRET_SIGNATURE),
                        "value": _encode_value(value.value),
                    }
                )
            )
        case list() | tuple():
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_encode_value(item) for item in value]))
        case dict():
            return struct_pb2.Value(struct_value=encode(value))
    raise TypeError(f"a property of type {type(value).__name__} has no place in the engine's protocol")


def reveal(value: Any) -> Any:
    """Return the value without its ``Secret`` marks."""
    match value:
        case Secret():
            return reveal(value.value)
        case dict():
            return {key: reveal(item) for key, item in value.items()}
        case list():
            return [reveal(item) for item in value]
    return value


def has_unknown(value: Any) -> bool:
    """Return whether any part of the value is known only later."""
    match value:
        case Unknown():
            return True
        case Secret():
            return has_unknown(value.value)
        case dict():
            return any(has_unknown(item) for item in value.values())
        case list():
            return any(has_unknown(item) for item in value)
    return False


def _secret_leaves(value: Any, inside: bool = False) -> Iterator[str]:
    match value:
        case Secret():
            yield from _secret_leaves(value.value, True)
        case dict():
            for item in value.values():
                yield from _secret_leaves(item, inside)
        case list():
            for item in value:
                yield from _secret_leaves(item, inside)
        case str() if inside:
            yield value


def secret_texts(value: Any) -> frozenset[str]:
    """Return the texts below ``Secret`` marks that are long enough to be looked for, and their Base64 forms."""
    texts = {text for text in _secret_leaves(value) if len(text) >= SHORTEST_HIDDEN}
    return frozenset(texts | {base64.b64encode(text.encode()).decode() for text in texts})


def redact(message: str, texts: frozenset[str]) -> str:
    """Return the message with each of the secret texts replaced."""
    for text in sorted(texts, key=len, reverse=True):
        message = message.replace(text, "[secret]")
    return message


def conceal(value: Any, like: Any, texts: frozenset[str] = frozenset()) -> Any:
    """Mark what is secret in a value that came back from outside.

    Args:
        value: plain Python without marks.
        like: what was sent, with its marks: the same places are marked. Lists of another length than the one sent are
            marked whole when any of their elements was.
        texts: ``secret_texts`` of what was sent: any text that holds one of them is marked too, wherever it turns up.
    """
    if isinstance(like, Secret):
        return Secret(value)
    match value:
        case dict():
            inner = like if isinstance(like, dict) else {}
            return {key: conceal(item, inner.get(key), texts) for key, item in value.items()}
        case list():
            if isinstance(like, list) and len(like) != len(value) and any(True for _ in _secret_leaves(like)):
                return Secret(value)
            pairs = like if isinstance(like, list) and len(like) == len(value) else [None] * len(value)
            return [conceal(item, pair, texts) for item, pair in zip(value, pairs, strict=True)]
        case str() if any(text in value for text in texts):
            return Secret(value)
    return value
