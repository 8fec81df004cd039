"""Images in a message: what is taken, before anybody looks into them."""

import base64
import binascii
import re
from typing import Annotated, Literal

from pydantic import AfterValidator

from chatbot.api.chat.strict import Strict

MEBIBYTE = 1024 * 1024
MAX_IMAGES = 4
"""In one message."""
MAX_IMAGE_BYTES = 3 * MEBIBYTE
HEADS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}
DATA_URL = re.compile(r"data:(?P<kind>[a-z]+/[a-z0-9.+-]+);base64,", re.IGNORECASE)


def checked(url: str) -> str:
    """`url`, if it holds a PNG, JPEG or WebP image in base64.

    Raises:
        ValueError: it is an address, of another kind, too large, or not what it says.
    """
    head = DATA_URL.match(url)
    if head is None:
        raise ValueError(
            "must be a data: URL with the image in base64 (data:image/png;base64,...); nothing is fetched from "
            "addresses"
        )
    start = HEADS.get(head["kind"].lower())
    if start is None:
        raise ValueError(f"{head['kind'][:40]} is not supported: send {', '.join(HEADS)}")
    encoded = url[head.end() :]
    if len(encoded) * 3 // 4 > MAX_IMAGE_BYTES + 2:
        raise ValueError(f"the image is larger than {MAX_IMAGE_BYTES // MEBIBYTE} MiB")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the image is not valid base64") from error
    if not data.startswith(start):
        raise ValueError(f"the data is no {head['kind']} image")
    return url


class ImageAddress(Strict):
    """Where an image is: in the URL itself."""

    url: Annotated[str, AfterValidator(checked)]
    detail: Literal["auto", "low", "high"] | None = None
    """Written by OpenAI's clients, and not read: a model sees every image in the one size."""


class ImagePart(Strict):
    """An image in a message."""

    type: Literal["image_url"]
    image_url: ImageAddress
