"""Picture files for the tests, written by hand, and what there is to know about one."""

import base64
import random
import struct
import zlib

from playwright.sync_api import Page

CLEAR = (0, 0, 0, 0)
"""A transparent pixel."""
RED = (200, 30, 30, 255)


def png(width: int, height: int, colour: tuple[int, int, int, int] = RED) -> bytes:
    """A picture of one colour, a few kilobytes."""
    return _png(width, height, (b"\0" + bytes(colour) * width) * height)


def noise(width: int, height: int) -> bytes:
    """A picture that no packing makes smaller."""
    chance = random.Random(1)
    return _png(width, height, b"".join(b"\0" + chance.randbytes(width * 4) for _ in range(height)))


def _png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def lying_jpeg(page: Page, width: int, height: int) -> bytes:
    """A JPEG as of a phone held upright: its EXIF data says to turn it by a quarter."""
    made = page.evaluate(
        """async ([width, height]) => {
          const canvas = new OffscreenCanvas(width, height);
          canvas.getContext("2d").fillRect(0, 0, width, height);
          const blob = await canvas.convertToBlob({ type: "image/jpeg" });
          return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
        }""",
        [width, height],
    )
    data = base64.b64decode(made)
    orientation = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    exif = b"Exif\0\0" + struct.pack("<2sHIH", b"II", 42, 8, 1) + orientation + struct.pack("<I", 0)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def decode(url: str) -> tuple[str, bytes]:
    """The media type and the bytes of a `data:` URL."""
    head, _, data = url.partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), base64.b64decode(data, validate=True)


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height, of the frame header."""
    position = 2
    while data[position + 1] not in (0xC0, 0xC1, 0xC2):
        position += 2 + struct.unpack(">H", data[position + 2 : position + 4])[0]
    height, width = struct.unpack(">HH", data[position + 5 : position + 9])
    return width, height
