"""A stub of the service: it speaks the HTTP API that the page relies on, from memory, and does what a test tells it.

It stands in for the real service so that each state of the page (a slow answer, a lost connection, a store that is
away) can be had at will.
"""

import json
import mimetypes
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Self

API_KEY = "a-key-of-this-test"
HEADERS = Path(__file__).parents[3] / "service" / "web" / "nginx" / "security-headers.conf"
POLICY = re.findall(r'Content-Security-Policy "(.*)"', HEADERS.read_text())[0]

Json = dict[str, Any]


class Refusal(Exception):
    """An error answer, in the shape of the API."""

    def __init__(self, status: int, message: str, code: str = "", retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {} if retry_after_seconds is None else {"Retry-After": str(retry_after_seconds)}
        self.body = {"error": {"message": message, "type": "stub", "param": None, "code": code}}


@dataclass(kw_only=True)
class Answer:
    """What the stub answers to a question."""

    pieces: list[str] = field(default_factory=lambda: ["This is ", "the answer."])
    citations: list[Json] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    gate: threading.Event | None = None
    """Waited for after the first piece."""
    cut: bool = False
    """The connection ends before the answer does."""
    refusal: Refusal | None = None


def now() -> str:
    """This moment as the API writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class StubService:
    """The state, and the server on a free port of 127.0.0.1."""

    def __init__(self, web_dir: Path) -> None:
        self.web_dir = web_dir
        self.sessions: set[str] = set()
        self.conversations: dict[str, Json] = {}
        self.documents: dict[str, Json] = {}
        self.me: Json = {"name": None, "role": "admin"}
        self.organisation = False
        """Whether one may also sign in at `/login/start`, which signs in as Kim here and now."""
        self.services = {"history": "ok", "documents": "ok", "engine": "ok"}
        self.model = {"id": "quotation", "engine": "quotation"}
        self.images: bool | None = False
        """Whether the model sees pictures."""
        self.answer: Callable[[str], Answer] = lambda question: Answer()
        self.chats: list[Json] = []
        """The bodies of all chat requests."""
        self.finished: list[str] = []
        """The questions whose answers went out whole."""
        self.left = threading.Event()
        """Set when a reader has left in the middle of an answer."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stub": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add_conversation(self, title: str = "", messages: list[Json] | None = None) -> Json:
        """A kept conversation."""
        identifier = f"conv_{secrets.token_hex(4)}"
        head = {"id": identifier, "title": title, "created_at": now(), "updated_at": now()}
        self.conversations[identifier] = head | {"messages": messages or []}
        return self.conversations[identifier]

    def add_document(self, name: str, size_bytes: int = 2048) -> Json:
        """A kept document."""
        self.documents = {key: item for key, item in self.documents.items() if item["name"] != name}
        identifier = f"doc_{secrets.token_hex(4)}"
        item = {"id": identifier, "name": name, "bytes": size_bytes, "passages": 3, "created_at": now()}
        self.documents[identifier] = item
        return item

    def needs(self, store: str) -> None:
        """Refuse what rests on a store that is away."""
        if self.services[store] != "ok":
            raise Refusal(503, f"The {store} store is unavailable.", f"{store}_unavailable", 5)

    def keep(self, conversation_id: str | None, question: str, images: list[str], answer: Answer) -> None:
        """Append a turn to its conversation."""
        conversation = self.conversations.get(conversation_id or "")
        if conversation is None:
            return
        conversation["title"] = conversation["title"] or question
        conversation["updated_at"] = now()
        reply = {"role": "assistant", "content": "".join(answer.pieces), "citations": answer.citations}
        for message in ({"role": "user", "content": question, "images": images}, reply):
            conversation["messages"].append(message | {"created_at": now(), "status": "complete"})


class _Handler(BaseHTTPRequestHandler):
    stub: ClassVar[StubService]
    protocol_version = "HTTP/1.1"
    _body: bytes

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PATCH = do_DELETE = do_GET

    def _handle(self) -> None:
        self._body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            for method, pattern, action in ROUTES:
                match = re.fullmatch(pattern, self.path)
                if method == self.command and match:
                    if (method, self.path) not in OPEN and not self.path.startswith("/login/"):
                        self._needs_session()
                    return action(self, *match.groups())
            self._page()
        except Refusal as refusal:
            self._reply(refusal.status, refusal.body, refusal.headers)
        except (BrokenPipeError, ConnectionResetError):
            self.stub.left.set()
            self.close_connection = True

    def _needs_session(self) -> None:
        match = re.search(r"aihub_session=(\w+)", self.headers.get("Cookie", ""))
        if not match or match[1] not in self.stub.sessions:
            raise Refusal(401, "This needs a key.", "missing_api_key")

    def _json(self) -> Json:
        body: Json = json.loads(self._body)
        return body

    def _reply(self, status: int, body: Json | None = None, headers: dict[str, str] | None = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self._send(status, data, {"Content-Type": "application/json"} | (headers or {}))

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _page(self) -> None:
        path = self.stub.web_dir / ("index.html" if self.path == "/" else self.path.lstrip("/"))
        if self.command != "GET" or not path.is_file():
            raise Refusal(404, f"There is nothing at {self.path}.", "not_found")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self._send(200, path.read_bytes(), {"Content-Type": kind, "Content-Security-Policy": POLICY})

    def sign_in(self) -> None:
        if self._json()["api_key"] != API_KEY:
            raise Refusal(401, "This key is not known.", "invalid_api_key")
        session = secrets.token_hex(8)
        self.stub.sessions.add(session)
        self._reply(204, headers={"Set-Cookie": f"aihub_session={session}; HttpOnly; SameSite=Lax; Path=/"})

    def sign_out(self) -> None:
        self.stub.sessions.clear()
        self._reply(204)

    def ways(self) -> None:
        self._reply(200, {"api_key": True, "organisation": self.stub.organisation})

    def start(self, conversation: str | None) -> None:
        self.stub.me = {"name": "Kim", "role": "user"}
        self.stub.sessions.add("kim")
        place = f"/#/c/{conversation}" if conversation else "/"
        headers = {"Location": place, "Set-Cookie": "aihub_session=kim; HttpOnly; SameSite=Lax; Path=/"}
        self._reply(303, headers=headers)

    def me(self) -> None:
        model = {**self.stub.model, "images": self.stub.images}
        self._reply(200, {"auth": "session", **self.stub.me, "model": model, "services": self.stub.services})

    def list_conversations(self) -> None:
        self.stub.needs("history")
        self._reply(200, {"data": [_head(item) for item in self.stub.conversations.values()]})

    def create_conversation(self) -> None:
        self.stub.needs("history")
        self._reply(201, _head(self.stub.add_conversation()))

    def conversation(self, identifier: str) -> None:
        self.stub.needs("history")
        item = self.stub.conversations.get(identifier)
        if item is None:
            raise Refusal(404, f"There is no conversation {identifier}.", "not_found")
        if self.command == "PATCH":
            item["title"] = self._json()["title"]
        if self.command == "DELETE":
            del self.stub.conversations[identifier]
            return self._reply(204)
        return self._reply(200, _head(item) | {"messages": item["messages"]})

    def list_documents(self) -> None:
        self.stub.needs("documents")
        self._reply(200, {"data": list(self.stub.documents.values())})

    def add_document(self) -> None:
        header = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        part = next(BytesParser(policy=HTTP).parsebytes(header + self._body).iter_parts())
        name, content = str(part.get_filename()), part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if not content:
            raise Refusal(400, f"{name}: the document is empty.", "document_empty")
        if not name.endswith((".md", ".txt")):
            raise Refusal(415, f"{name}: this kind of document is not read.", "document_type")
        self._reply(201, self.stub.add_document(name, len(content)))

    def delete_document(self, identifier: str) -> None:
        self.stub.documents.pop(identifier, None)
        self._reply(204)

    def chat(self) -> None:
        request = self._json()
        self.stub.chats.append(request)
        question, images = _content(request["messages"][-1]["content"])
        answer = self.stub.answer(question)
        if answer.refusal:
            raise answer.refusal
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        first = {"role": "assistant", "content": ""}
        identifier = f"{len(self.stub.chats):016x}"
        extras = {"citations": answer.citations, "notices": answer.notices, "question_id": identifier}
        self._event({"choices": [_choice(first)], **extras})
        for position, text in enumerate(answer.pieces):
            self._event({"choices": [_choice({"content": text})]})
            if answer.gate and position == 0:
                self._wait(answer.gate)
        self.close_connection = True
        if answer.cut:
            return
        self.stub.keep(request.get("conversation_id"), question, images, answer)
        self.stub.finished.append(question)
        self._event({"choices": [_choice({}, "stop")]})
        self.wfile.write(b"data: [DONE]\n\n")

    def _wait(self, gate: threading.Event) -> None:
        """Until the test opens the gate; a reader who leaves is noticed on the way."""
        while not gate.wait(0.05):
            self.wfile.write(b": keep-alive\n\n")

    def _event(self, body: Json) -> None:
        self.wfile.write(f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode())


def _content(content: str | list[Json]) -> tuple[str, list[str]]:
    """The text of a message, and its pictures."""
    if isinstance(content, str):
        return content, []
    texts = [part["text"] for part in content if part["type"] == "text"]
    return "".join(texts), [part["image_url"]["url"] for part in content if part["type"] == "image_url"]


def _choice(delta: Json, finish_reason: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


def _head(item: Json) -> Json:
    head = {key: value for key, value in item.items() if key != "messages"}
    return head | {"message_count": len(item["messages"])}


OPEN = {("POST", "/api/sessions"), ("GET", "/api/sign-in")}
ROUTES: list[tuple[str, str, Callable[..., None]]] = [
    ("POST", "/api/sessions", _Handler.sign_in),
    ("DELETE", "/api/sessions", _Handler.sign_out),
    ("GET", "/api/sign-in", _Handler.ways),
    ("GET", r"/login/start(?:\?conversation=(\w+))?", _Handler.start),
    ("GET", "/api/me", _Handler.me),
    ("GET", "/api/conversations", _Handler.list_conversations),
    ("POST", "/api/conversations", _Handler.create_conversation),
    ("GET", "/api/conversations/(.+)", _Handler.conversation),
    ("PATCH", "/api/conversations/(.+)", _Handler.conversation),
    ("DELETE", "/api/conversations/(.+)", _Handler.conversation),
    ("GET", "/api/documents", _Handler.list_documents),
    ("POST", "/api/documents", _Handler.add_document),
    ("DELETE", "/api/documents/(.+)", _Handler.delete_document),
    ("POST", "/v1/chat/completions", _Handler.chat),
]
