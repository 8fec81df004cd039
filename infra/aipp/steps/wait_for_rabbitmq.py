"""Ends once RabbitMQ lets the service in: the first half of a connection by AMQP 0-9-1, no more.

The standard library only: it runs in a plain Python image. Frames: rabbitmq.com/resources/specs/amqp0-9-1.pdf, 2.3.
"""

import os
import socket
import struct
import time
from pathlib import Path
from typing import Protocol

METHOD, FRAME_END = 1, b"\xce"
CLOSE, TUNE = (10, 50), (10, 30)
SAYS_WHY = b"\x0ccapabilitiesF\x00\x00\x00\x1f\x1cauthentication_failure_closet\x01"
"""A table in which we say that we can take "login refused" as an answer; else RabbitMQ just breaks the connection."""


class Stream(Protocol):
    """What bytes come from."""

    def read(self, size: int, /) -> bytes | None:
        """Return up to ``size`` bytes; fewer at the end only."""


def log_in(host: str, port: int, user: bytes, key: bytes) -> None:
    """Return when the server goes on to the next step.

    Raises:
        OSError: it does not, and why.
    """
    with socket.create_connection((host, port), timeout=5) as connection, connection.makefile("rwb") as stream:
        stream.write(b"AMQP\x00\x00\x09\x01")
        stream.flush()
        _method(stream)  # start
        answer = struct.pack(">HH", 10, 11)  # start-ok
        answer += _long(SAYS_WHY) + _short(b"PLAIN") + _long(b"\0" + user + b"\0" + key) + _short(b"en_US")
        stream.write(struct.pack(">BHI", METHOD, 0, len(answer)) + answer + FRAME_END)
        stream.flush()
        method, rest = _method(stream)
    if method == CLOSE:
        raise OSError(rest[3 : 3 + rest[2]].decode(errors="replace"))
    if method != TUNE:
        raise OSError("it answered with something else than the next step")


def _short(text: bytes) -> bytes:
    return struct.pack(">B", len(text)) + text


def _long(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


def _method(stream: Stream) -> tuple[tuple[int, int], bytes]:
    """Return the next method of the server, as class and number, and what follows them."""
    kind, _, size = struct.unpack(">BHI", _exactly(stream, 7))
    payload = _exactly(stream, size + 1)
    if kind != METHOD or payload[-1:] != FRAME_END:
        raise OSError("it does not speak AMQP 0-9-1")
    group, number = struct.unpack(">HH", payload[:4])
    return (group, number), payload[4:-1]


def _exactly(stream: Stream, size: int) -> bytes:
    got = stream.read(size)
    if got is None or len(got) < size:
        raise OSError("it closed the connection")
    return got


def main() -> None:
    """Run the step."""
    host, port = os.environ["HOST"], int(os.environ["PORT"])
    while True:
        try:
            return log_in(host, port, os.environ["ACCOUNT"].encode(), Path(os.environ["LOGIN_FILE"]).read_bytes())
        except OSError as error:
            print(f"waiting for {host}: {error}", flush=True)
        time.sleep(float(os.environ.get("PAUSE_SECONDS", "5")))


if __name__ == "__main__":
    main()
