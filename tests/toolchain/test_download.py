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
from toolchain.tools import ALL, Archive, Tool

KUBERNETES = "https://dl.k8s.io/v1.30.14/bin/linux/amd64"
PULUMI = "https://get.pulumi.com/releases/sdk"
PUBLISHED = {
    f"{KUBERNETES}/kube-apiserver": f"{KUBERNETES}/kube-apiserver.sha256",
    f"{KUBERNETES}/kube-controller-manager": f"{KUBERNETES}/kube-controller-manager.sha256",
    f"{KUBERNETES}/kube-scheduler": f"{KUBERNETES}/kube-scheduler.sha256",
    f"{KUBERNETES}/kubelet": f"{KUBERNETES}/kubelet.sha256",
    f"{KUBERNETES}/kube-proxy": f"{KUBERNETES}/kube-proxy.sha256",
    f"{KUBERNETES}/kubectl": f"{KUBERNETES}/kubectl.sha256",
    # The archive is named after the tag, the sums after the version: pulumi/pulumi, .goreleaser.yml and sign.yml.
    f"{PULUMI}/pulumi-v3.250.0-linux-x64.tar.gz": f"{PULUMI}/pulumi-3.250.0-checksums.txt",
    "https://get.helm.sh/helm-v3.22.0-linux-amd64.tar.gz": "https://get.helm.sh/helm-v3.22.0-linux-amd64.tar.gz.sha256sum",
}
"""Address of an archive -> address of its SHA-256, as the vendors write them."""


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
    download.download(tool(vendor), tmp_path)
    assert (tmp_path / "spade").read_bytes() == b"digs"


def test_addresses_are_those_of_the_vendors() -> None:
    assert dict(download.addresses(each, archive) for each in ALL for archive in each.archives) == PUBLISHED


def test_member_of_an_archive_gets_its_own_name(vendor: Vendor, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        info = tarfile.TarInfo("linux/spade-bin")
        info.size = 4
        tar.addfile(info, io.BytesIO(b"digs"))
    publish(vendor, packed.getvalue())
    download.download(tool(vendor, ("linux/spade-bin",)), tmp_path)
    assert (tmp_path / "spade").read_bytes() == b"digs"
    with pytest.raises(download.DownloadError, match="spade holds no linux/fork-bin"):
        download.download(tool(vendor, ("linux/fork-bin",)), tmp_path)


def test_wrong_digest_is_refused_and_nothing_kept(vendor: Vendor, tmp_path: Path) -> None:
    publish(vendor, b"digs")
    vendor.files["/v1.0.0/spade"] = b"bites"
    with pytest.raises(download.DownloadError, match="does not match its published SHA-256"):
        download.download(tool(vendor), tmp_path)
    assert not list(tmp_path.iterdir())


def test_download_cut_in_the_middle_counts_as_unreachable(vendor: Vendor, tmp_path: Path) -> None:
    publish(vendor, b"digs" * 1000)
    vendor.cut.add("/v1.0.0/spade")
    with pytest.raises(download.UnreachableError, match=r"v1\.0\.0/spade: .*2000 bytes read"):
        download.download(tool(vendor), tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_is_not_there_is_named(vendor: Vendor, tmp_path: Path) -> None:
    with pytest.raises(download.UnreachableError, match=r"/v1\.0\.0/sums: HTTP Error 404"):
        download.download(tool(vendor), tmp_path)
