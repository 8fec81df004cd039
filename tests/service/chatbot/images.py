"""Images as clients send them."""

import base64
import io
from typing import Any

from PIL import Image


def image(colour: str = "white", size: tuple[int, int] = (40, 40), kind: str = "png", **saved: Any) -> str:
    """A `data:` URL of one colour; `saved`: how Pillow writes it."""
    return data_url(Image.new("RGB", size, colour), kind, **saved)


def data_url(drawn: Image.Image, kind: str = "png", **saved: Any) -> str:
    file = io.BytesIO()
    drawn.save(file, kind, **saved)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
