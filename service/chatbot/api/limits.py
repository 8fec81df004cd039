"""How large a request may be."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from chatbot.errors import ApiError

MEBIBYTE = 1024 * 1024
MAX_BODY_BYTES = 2 * MEBIBYTE
MAX_CHAT_BYTES = 20 * MEBIBYTE
"""A question with its images, and those of the questions before it."""
MAX_DOCUMENT_BYTES = 20 * MEBIBYTE
MAX_UPLOAD_BYTES = MAX_DOCUMENT_BYTES + 64 * 1024
"""A document with its multipart frame and name."""
LARGE = {"/api/documents": MAX_UPLOAD_BYTES, "/v1/chat/completions": MAX_CHAT_BYTES}

TOO_LARGE = ApiError(
    413,
    f"The request is too large: a document may have {MAX_DOCUMENT_BYTES // MEBIBYTE} MiB, a chat with its images "
    f"{MAX_CHAT_BYTES // MEBIBYTE} MiB, any other request {MAX_BODY_BYTES // MEBIBYTE} MiB.",
    code="request_too_large",
)
LENGTH_REQUIRED = ApiError(411, "Send the request with a Content-Length, not in chunks.", code="length_required")


class BodyLimit:
    """ASGI middleware: refuses a request that is too large, or does not say how large it is, before a byte is read.

    The HTTP server holds a client to the length that it declared. FastAPI's own limit answers in plain text, and
    outside of every middleware.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if "transfer-encoding" in headers:
                return await LENGTH_REQUIRED.response()(scope, receive, send)
            if int(headers.get("content-length", "0")) > LARGE.get(scope["path"], MAX_BODY_BYTES):
                return await TOO_LARGE.response()(scope, receive, send)
        return await self.app(scope, receive, send)
