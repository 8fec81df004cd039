"""A client of the deployed chat: standard library only, because every command may need it."""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.errors import OpsError

TIMEOUT_SECONDS = 120
UPLOAD_SECONDS = 3600
"""10 MiB took 20 minutes to embed on two busy cores, and a document may have twice that; the ingress waits as long."""
MOST_DOCUMENT_BYTES = 20 * 2**20
"""What the chat takes: it refuses more before it has read it, and whoever still sends then hears nothing of why."""


class ChatError(Exception):
    """The chat refused a request; carries its status and its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class HungUpError(OpsError):
    """The chat, or a proxy on the way to it, broke a request off; the next one may do."""


@dataclass(frozen=True, kw_only=True)
class ChatClient:
    """The chat at ``url``, opened with ``api_key``."""

    url: str
    api_key: str
    opener: urllib.request.OpenerDirector = field(default_factory=urllib.request.build_opener, repr=False)
    """What opens the address."""

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        kind: str = "application/json",
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> bytes:
        """Send one request and return the body.

        Raises:
            ChatError: the chat answered with an error.
            OpsError: nobody answered; a HungUpError where somebody took the call.
        """
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": kind}
        request = urllib.request.Request(self.url + path, data=body, headers=headers, method=method)  # noqa: S310 - ours
        try:
            with self.opener.open(request, timeout=timeout_seconds) as response:
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
            fix = "make verify says what is wrong"
            if isinstance(getattr(error, "reason", error), BrokenPipeError | ConnectionResetError):
                raise HungUpError(f"the chat at {self.url} hung up: {error}", fix) from None
            raise OpsError(f"the chat at {self.url} does not answer: {error}", fix) from None

    def json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send and receive JSON objects; an empty answer is an empty object."""
        answer = self.request(method, path, None if body is None else json.dumps(body).encode())
        return dict(json.loads(answer)) if answer else {}

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Upload one document; the same content again changes nothing.

        Raises:
            ChatError: the chat does not take it.
            OpsError: nobody answered; a HungUpError where somebody took the call.
        """
        if len(content) > MOST_DOCUMENT_BYTES:
            most = f"{MOST_DOCUMENT_BYTES // 2**20} MiB"
            raise ChatError(413, f"it is larger than {most}, the most that the chat takes of one document: split it")
        boundary = uuid.uuid4().hex
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        return dict(json.loads(self.request("POST", "/api/documents", body, kind, UPLOAD_SECONDS)))

    def stream(self, question: str, **extras: Any) -> Iterator[dict[str, Any]]:
        """Ask one question; yield the stream's events as they come."""
        body = {"model": "default", "stream": True, "messages": [{"role": "user", "content": question}], **extras}
        request = urllib.request.Request(  # noqa: S310 - our own URL
            f"{self.url}/v1/chat/completions",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"},
        )
        with self.opener.open(request, timeout=TIMEOUT_SECONDS) as response:
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
