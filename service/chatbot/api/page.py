"""The page: static files, and the headers that keep a browser from doing anything else with them."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The page's own image sends the same ones: web/nginx/security-headers.conf, which a test compares with these.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Page not built</title>
<h1>The page is not built</h1>
<p>Run <code>npm ci && npm run build</code> in <code>service/web</code>, or set CHATBOT_WEB_DIR. The HTTP API works.</p>
</html>"""


class SecurityHeaders:
    """ASGI middleware: `HEADERS` on every response; only the built files, whose names have a hash, are cached."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        is_asset = scope["path"].startswith("/assets/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                found = message["status"] == 200
                headers.setdefault(
                    "Cache-Control", "public, max-age=31536000, immutable" if is_asset and found else "no-store"
                )
            await send(message)

        return await self.app(scope, receive, send_with_headers)


def mount_page(app: FastAPI, folder: Path) -> None:
    """Serve the page in `folder`; without one, `/` says how to build it."""

    @app.get("/", response_model=None, include_in_schema=False)
    async def index() -> Response:
        path = folder / "index.html"
        return FileResponse(path) if path.is_file() else HTMLResponse(NOT_BUILT, status_code=503)

    @app.get("/favicon.svg", response_model=None, include_in_schema=False)
    async def favicon() -> Response:
        path = folder / "favicon.svg"
        return FileResponse(path) if path.is_file() else Response(status_code=404)

    if (folder / "assets").is_dir():
        app.mount("/assets", StaticFiles(directory=folder / "assets"))
