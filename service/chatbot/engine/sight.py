"""How a model sees: images beside the text, as its processor makes them."""

import base64
import io
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageOps

from chatbot.engine import prompt
from chatbot.engine.protocol import Message, Tool
from chatbot.errors import ApiError

SIDE_PIXELS = 1536
"""Longest side that a model gets; several make a token of each 28 x 28 pixels, so 3000 tokens at most."""
MAX_PIXELS = 50_000_000
"""A few kilobytes of PNG can be a gigabyte in memory."""
FORMATS = ("PNG", "JPEG", "WEBP")


class ImageInvalidError(ApiError):
    """An image that nobody can see."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, f"images: {reason}", code="image_invalid", param="messages")


class Sight:
    """A transformers processor (its classes have no common typed interface) of a model that sees."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        self._markers: list[str] = processor.all_special_multimodal_tokens
        self.tokenizer = processor.tokenizer
        # The template of a model that sees may lie beside its tokenizer.
        self.tokenizer.chat_template = processor.chat_template or self.tokenizer.chat_template

    def inputs(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> Any:
        """The arguments of `generate`: token ids (1, n), in which each image has its places, and the images' numbers.

        Raises:
            ImageInvalidError: an image cannot be read, or not by this model.
            ToolsUnsupportedError: see `prompt.text`.
        """
        text = prompt.text(self.tokenizer, messages, tools, self._markers)
        images = [opened(url) for message in messages for url in message.images]
        try:
            # The template has written the special tokens already.
            return self._processor(
                text=[text], images=[images] if images else None, add_special_tokens=False, return_tensors="pt"
            )
        except ValueError as error:
            if not images:
                raise
            raise ImageInvalidError(f"this model's processor refuses an image: {error}") from error


def opened(url: str) -> Image.Image:
    """The image in a `data:` URL: upright, in red, green and blue on white, at most `SIDE_PIXELS` wide and high.

    Raises:
        ImageInvalidError: it cannot be read, or has more than `MAX_PIXELS`.
    """
    try:
        # Only the formats that are taken: Pillow has parsers for many more.
        image = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])), formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise ImageInvalidError(
                f"{image.width} x {image.height} pixels are more than {MAX_PIXELS // 1_000_000} million"
            )
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((SIDE_PIXELS, SIDE_PIXELS))
        coloured = upright.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageInvalidError("an image is damaged, and cannot be read") from error
    return Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("RGB")
