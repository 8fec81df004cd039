"""A client of the deployed chat: standard library only, because every command may need it."""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.errors import OpsError

TIMEOUT_SECONDS = 120


class ChatError(Exception):
    """The chat refused a request; carries its status and its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class ChatClient:
    """The chat at ``url``, opened with ``api_key``."""

    url: str
    api_key: str

    def request(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> bytes:
        """Send one request and return the body.

        Raises:
            ChatError: the chat answered with an error.
            OpsError: nobody answered.
        """
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": kind}
        request = urllib.request.Request(self.url + path, data=body, headers=headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - our own URL
                answer: bytes = response.read()
                return answer
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                message = json.loads(text)["error"]["message"]
            except (ValueError, KeyError, TypeError):
                message = text[:200]
            raise ChatError(error.code, str(message)) from None
        except OSError as error:
            raise OpsError(
                f"the chat at {self.url} does not answer: {error}", "make verify says what is wrong"
            ) from None

    def json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send and receive JSON objects; an empty answer is an empty object."""
        answer = self.request(method, path, None if body is None else json.dumps(body).encode())
        return dict(json.loads(answer)) if answer else {}

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Upload one document; the same content again changes nothing."""
        boundary = uuid.uuid4().hex
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return dict(
            json.loads(self.request("POST", "/api/documents", body, f"multipart/form-data; boundary={boundary}"))
        )

    def stream(self, question: str, **extras: Any) -> Iterator[dict[str, Any]]:
        """Ask one question; yield the stream's events as they come."""
        body = {"model": "default", "stream": True, "messages": [{"role": "user", "content": question}], **extras}
        request = urllib.request.Request(  # noqa: S310 - our own URL
            f"{self.url}/v1/chat/completions",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            for line in response:
                if line.startswith(b"data: ") and line.strip() != b"data: [DONE]":
                    yield json.loads(line[6:])

    def login_url(self) -> str:
        """Return a link that signs in once."""
        return self.url + str(self.json("POST", "/api/logins", {})["path"])


def answer_of(events: Iterator[dict[str, Any]]) -> tuple[str, list[dict[str, Any]], int]:
    """Return the whole text of a stream, its citations, and how many pieces it came in."""
    text, pieces = "", 0
    citations: list[dict[str, Any]] = []
    for event in events:
        citations = event.get("citations") or citations
        for choice in event.get("choices", []):
            if piece := choice.get("delta", {}).get("content"):
                text, pieces = text + piece, pieces + 1
    return text, citations, pieces
