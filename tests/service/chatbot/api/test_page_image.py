"""The page's own server: the configuration of its image, run by the installed nginx as an unprivileged user."""

import gzip
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from chatbot.api.page import HEADERS
from tests.service.chatbot.api.conftest import Serve
from tests.service.chatbot.scripted import ScriptedEngine
from tests.service.chatbot.servers import SERVICE, free_port, wait_until

CONFIGURATION = SERVICE / "web" / "nginx"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
NOBODY = 65534
SCRIPT = "console.log('페이지');" * 100


def files_of_the_page(folder: Path) -> None:
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<p>the page</p>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-1a2b.js").write_text(SCRIPT)
    (folder.parent / "secret.txt").write_text("secret-canary")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others may enter: pytest shuts its own to them, again with every run that starts meanwhile."""
    with tempfile.TemporaryDirectory(prefix="page-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def page(folder: Path) -> Iterator[str]:
    """nginx on the image's configuration, but for the port and the folders; gives its URL."""
    if NGINX is None:
        pytest.skip("nginx is not installed (apt-get install nginx-light)")
    files, temporary, configuration = folder / "srv" / "page", folder / "tmp", folder / "nginx"
    files_of_the_page(files)
    temporary.mkdir()
    shutil.copytree(CONFIGURATION, configuration)
    port = free_port()
    text = (configuration / "nginx.conf").read_text()
    given = {"/tmp/": f"{temporary}/", "/srv/page": str(files), "listen 8080": f"listen 127.0.0.1:{port}"}
    for old, new in given.items():
        assert old in text
        text = text.replace(old, new)
    (configuration / "nginx.conf").write_text(text)
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    if as_nobody:
        # What nginx may write is `temporary`, as in the pod; all else is only for reading.
        os.chown(temporary, NOBODY, NOBODY)
    command = [NGINX, "-e", "stderr", "-c", str(configuration / "nginx.conf")]
    with subprocess.Popen([*command, "-g", "daemon off;"], stderr=subprocess.PIPE, text=True, **as_nobody) as server:
        try:
            wait_until(lambda: server.poll() is not None or is_open(port), "nginx", 10)
            assert server.poll() is None, server.stderr.read() if server.stderr else ""
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            said = server.communicate(timeout=10)[1]
    assert said == "", said


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_headers_are_the_services() -> None:
    """One source: `chatbot.api.page.HEADERS`."""
    wanted = "".join(f'add_header {name} "{value}" always;\n' for name, value in HEADERS.items())
    comment, _, given = (CONFIGURATION / "security-headers.conf").read_text().partition("\n")
    assert given == wanted, f"web/nginx/security-headers.conf must have:\n{comment}\n{wanted}"


def test_the_image_runs_it_without_rights() -> None:
    dockerfile = (SERVICE / "web" / "Dockerfile").read_text()
    last = dockerfile[dockerfile.rindex("FROM ") :]
    assert re.findall(r"^USER (.*)$", last, re.MULTILINE) == ["10001:10001"]
    assert "EXPOSE 8080" in last
    text = (CONFIGURATION / "nginx.conf").read_text()
    written = re.findall(r"^ *(?:pid|\w+_temp_path) (\S+);", text, re.MULTILINE)
    assert len(written) == 6
    assert all(path.startswith("/tmp/") for path in written)


async def test_it_answers_as_the_service_does(page: str, serve: Serve, folder: Path) -> None:
    async with (
        serve(ScriptedEngine(), web_dir=folder / "srv" / "page") as chat,
        httpx.AsyncClient(base_url=page) as web,
    ):
        for path in ("/", "/favicon.svg", "/assets/index-1a2b.js", "/assets/missing.js"):
            ours, its = await chat.get(path), await web.get(path)
            assert its.status_code == ours.status_code
            for name in ("cache-control", *HEADERS):
                assert its.headers[name] == ours.headers[name], (path, name)
            if its.status_code == 200:
                assert its.content == ours.content
                assert its.headers["content-type"].split(";")[0] in (
                    ours.headers["content-type"].split(";")[0],
                    "application/javascript",
                )
        assert "text/html; charset=utf-8" in (await web.get("/")).headers["content-type"]


def test_what_is_the_apis_is_not_here(page: str) -> None:
    with httpx.Client(base_url=page) as web:
        assert (web.get("/healthz").status_code, web.get("/healthz").text) == (200, "ok\n")
        for path in (
            "/api/me",
            "/v1/models",
            "/login/start",
            "/livez",
            "/readyz",
            "/metrics",
            "/index.html",
            "/nowhere",
        ):
            response = web.get(path)
            assert response.status_code == 404
            assert "The Ingress must send" in response.json()["error"]["message"]
            assert response.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
        assert web.post("/v1/chat/completions", json={"messages": []}).status_code == 404
        assert "nginx/" not in web.get("/").headers["server"]


def test_nothing_outside_of_the_page_is_reachable(page: str) -> None:
    host, port = page.removeprefix("http://").split(":")
    for path in ("/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt"):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert b"secret-canary" not in answer
        assert answer.split()[1] in (b"400", b"404")
    assert httpx.get(f"{page}/assets/").status_code in (403, 404)


def test_large_files_are_packed(page: str) -> None:
    with httpx.stream("GET", f"{page}/assets/index-1a2b.js", headers={"Accept-Encoding": "gzip"}) as response:
        packed = b"".join(response.iter_raw())
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(packed).decode() == SCRIPT
    assert len(packed) < len(SCRIPT) / 4
