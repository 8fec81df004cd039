"""The vendor's downloads, from a real HTTP server on loopback."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from toolchain import download
from toolchain.tools import Archive, Tool


class Vendor:
    """Files to serve, by path; ``cut`` ones end after half their bytes."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = vendor.files.get(self.path)
                if body is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if self.path in vendor.cut else body)

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    thread = threading.Thread(target=vendor.server.serve_forever)
    thread.start()
    yield vendor
    vendor.server.shutdown()
    thread.join()
    vendor.server.server_close()


def tool(vendor: Vendor, members: tuple[str, ...] = ()) -> Tool:
    archive = Archive(
        url=f"{vendor.url}/{{version}}/spade",
        checksum_url=f"{vendor.url}/{{version}}/sums",
        members=members,
        binaries=("spade",),
    )
    return Tool(name="spade", version="v1.0.0", binaries=("spade",), packages=(".",), archives=(archive,))


def publish(vendor: Vendor, body: bytes) -> None:
    vendor.files["/v1.0.0/spade"] = body
    vendor.files["/v1.0.0/sums"] = f"{'0' * 64}  other\n{hashlib.sha256(body).hexdigest()}  spade\n".encode()


def test_binary_is_downloaded_and_checked(vendor: Vendor, tmp_path: Path) -> None:
    publish(vendor, b"digs")
    assert download.download(tool(vendor), tmp_path)
    assert (tmp_path / "spade").read_bytes() == b"digs"


def test_member_of_an_archive_gets_its_own_name(vendor: Vendor, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        info = tarfile.TarInfo("linux/spade-bin")
        info.size = 4
        tar.addfile(info, io.BytesIO(b"digs"))
    publish(vendor, packed.getvalue())
    assert download.download(tool(vendor, ("linux/spade-bin",)), tmp_path)
    assert (tmp_path / "spade").read_bytes() == b"digs"


def test_wrong_digest_is_refused_and_nothing_kept(vendor: Vendor, tmp_path: Path) -> None:
    publish(vendor, b"digs")
    vendor.files["/v1.0.0/spade"] = b"bites"
    with pytest.raises(download.DownloadError, match="does not match its published SHA-256"):
        download.download(tool(vendor), tmp_path)
    assert not list(tmp_path.iterdir())


def test_download_cut_in_the_middle_counts_as_unreachable(vendor: Vendor, tmp_path: Path) -> None:
    publish(vendor, b"digs" * 1000)
    vendor.cut.add("/v1.0.0/spade")
    assert not download.download(tool(vendor), tmp_path)
    assert not list(tmp_path.iterdir())


def test_vendor_out_of_reach_is_no_error(vendor: Vendor, tmp_path: Path) -> None:
    assert not download.download(tool(vendor), tmp_path)
