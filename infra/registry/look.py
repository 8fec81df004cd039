"""Looks at a registry step by step, as a node would, and says which step fails: name, route, port, TLS, login, image.

The standard library only: it runs on the machine that copies images, and in a pod of the cluster.
"""

import base64
import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import sys
from typing import TypedDict
from urllib.parse import urlencode, urlsplit

NAME, ROUTE, PORT, TLS, LOGIN, IMAGE = "name", "route", "port", "tls", "login", "image"
STEPS = (NAME, ROUTE, PORT, TLS, LOGIN, IMAGE)
"""In the order in which they are taken; each needs those before it."""
TIMEOUT_SECONDS = 10.0
MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)


class Question(TypedDict):
    """What to look at."""

    registry: str
    """HOST:PORT."""
    username: str
    """Account; empty: none."""
    images: list[str]
    """PATH:TAG or PATH@DIGEST each."""


class Seen(TypedDict):
    """What was seen."""

    step: str
    """The first step that fails; empty: none."""
    says: str
    """A sentence about it."""
    digests: dict[str, list[str]]
    """Image -> its digest, and after it those of the platforms' images that it holds."""


class StepError(Exception):
    """A step that fails."""

    def __init__(self, step: str, says: str) -> None:
        super().__init__(says)
        self.step = step
        self.says = says


class Answer:
    """What a server said."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """Return a connection.

    Raises:
        StepError: the name, the route or the port fails.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise StepError(NAME, f"{host} does not resolve: {error.strerror}") from None
    trouble = StepError(NAME, f"{host} has no address")
    for address in dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found):
        try:
            return socket.create_connection((address, port), timeout)
        except ConnectionRefusedError:
            trouble = StepError(PORT, f"{address} refuses port {port}: nothing listens there, or a firewall says so")
        except TimeoutError:
            trouble = StepError(
                ROUTE, f"{address} port {port} does not answer within {timeout:g} s: a firewall, or no route"
            )
        except OSError as error:
            trouble = StepError(ROUTE, f"{address} cannot be reached: {error.strerror or error}")
    raise trouble


def trusting() -> ssl.SSLContext:
    """Return what trusts the authorities that are known here, and those of the variable ``AUTHORITIES`` (PEM)."""
    context = ssl.create_default_context()
    if authorities := os.environ.get("AUTHORITIES"):
        context.load_verify_locations(cadata=authorities)
    return context


def secured(host: str, port: int, timeout: float) -> ssl.SSLSocket:
    """Return a connection by TLS whose certificate is trusted here.

    Raises:
        StepError: a step up to TLS fails.
    """
    plain = connect(host, port, timeout)
    try:
        return trusting().wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise StepError(TLS, f"the certificate of {host}:{port} is not trusted: {error.verify_message}") from None
    except (ssl.SSLError, OSError) as error:
        plain.close()
        raise _what_speaks(host, port, timeout, error) from None


def _what_speaks(host: str, port: int, timeout: float, error: OSError) -> StepError:
    """Return what to say of a port that answers, but not by TLS."""
    try:
        with connect(host, port, timeout) as plain:
            plain.sendall(f"GET /v2/ HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode())
            said = plain.recv(4096)
    except (OSError, StepError):
        said = b""
    first = said.partition(b"\n")[0][:60].decode("ascii", "replace").strip()
    if said.startswith(b"HTTP/"):
        if b"docker-distribution-api-version" in said.lower():
            return StepError(TLS, f"{host}:{port} is a registry that speaks plain http: nodes and builders want TLS")
        return StepError(PORT, f"something else answers at {host}:{port}: a web server by plain http ({first})")
    if first:
        return StepError(PORT, f"something else answers at {host}:{port}: {first!r}")
    reason = getattr(error, "reason", None) or error.strerror or "it closes the connection"
    return StepError(TLS, f"no TLS with {host}:{port}: {reason}")


def ask(address: str, timeout: float, method: str = "GET", **headers: str) -> Answer:
    """Return what an https address answers.

    Raises:
        StepError: a step up to TLS fails, or something answers that is no web server.
    """
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or 443
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    connection.sock = secured(host, port, timeout)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, headers={"Host": parts.netloc, **headers})
        return Answer(connection.getresponse())
    except (OSError, http.client.HTTPException) as error:
        raise StepError(PORT, f"something else answers at {host}:{port}: {type(error).__name__}, no http") from None
    finally:
        connection.close()


class Registry:
    """One registry, and the account that logs in to it."""

    def __init__(self, address: str, username: str, password: str, timeout: float) -> None:
        self.address = address
        self.timeout = timeout
        self.username = username
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        self.basic = {"Authorization": f"Basic {pair}"} if username else {}
        self.challenge = ""

    def reach(self) -> None:
        """Take the steps up to TLS, and learn how one logs in.

        Raises:
            StepError: one of them fails.
        """
        answer = ask(f"https://{self.address}/v2/", self.timeout)
        if answer.status not in (200, 401) or "Docker-Distribution-Api-Version" not in answer.headers:
            raise StepError(PORT, f"something else answers at {self.address}: no registry (/v2/ says {answer.status})")
        self.challenge = answer.headers.get("WWW-Authenticate", "") if answer.status == 401 else ""

    def authorization(self, path: str) -> dict[str, str]:
        """Return the header that opens a repository.

        Raises:
            StepError: the login fails, or the way to where it is asked for.
        """
        scheme, _, rest = self.challenge.partition(" ")
        if not scheme:
            return {}
        if scheme.lower() == "basic":
            if not self.basic:
                raise StepError(LOGIN, f"{self.address} asks for a login, and none is given")
            return self.basic
        told = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        realm = told.get("realm", "")
        query = urlencode({"service": told.get("service", ""), "scope": f"repository:{path}:pull"})
        try:
            answer = ask(f"{realm}?{query}", self.timeout, **self.basic)
        except StepError as trouble:
            raise StepError(
                trouble.step, f"{self.address} sends logins to {realm}, and there: {trouble.says}"
            ) from None
        who = f"account {self.username}" if self.username else "whoever has no account"
        if answer.status in (401, 403):
            raise StepError(LOGIN, f"{urlsplit(realm).netloc} refuses {who} (status {answer.status})")
        try:
            given = json.loads(answer.body)
            return {"Authorization": f"Bearer {given.get('token') or given['access_token']}"}
        except (ValueError, KeyError, AttributeError):
            raise StepError(LOGIN, f"{realm} answers {answer.status} and gives no token to {who}") from None

    def digests(self, path: str, reference: str) -> list[str]:
        """Return the digest behind a tag; after it, those of the platforms' images that it holds.

        Raises:
            StepError: the account may not pull it, or there is none.
        """
        authorization = self.authorization(path)
        address = f"https://{self.address}/v2/{path}/manifests/{reference}"
        answer = ask(address, self.timeout, Accept=MANIFESTS, **authorization)
        if answer.status == 200:
            own = answer.headers.get("Docker-Content-Digest") or "sha256:" + hashlib.sha256(answer.body).hexdigest()
            return [own, *(each["digest"] for each in json.loads(answer.body).get("manifests") or ())]
        if answer.status == 401 and authorization is self.basic:
            raise StepError(LOGIN, f"{self.address} refuses account {self.username} (status 401)")
        if answer.status in (401, 403):
            who = f"account {self.username} may" if self.username else "without an account one may"
            raise StepError(LOGIN, f"{who} not pull {path} (status {answer.status})")
        raise StepError(IMAGE, f"{path}:{reference} is not there (status {answer.status})")


def look(question: Question, password: str, timeout: float = TIMEOUT_SECONDS) -> Seen:
    """Return what is seen from here.

    Args:
        question: what to look at.
        password: of the account.
        timeout: seconds that one step may take.
    """
    registry = Registry(question["registry"], question["username"], password, timeout)
    digests: dict[str, list[str]] = {}
    troubles: list[StepError] = []
    try:
        registry.reach()
    except StepError as trouble:
        return {"step": trouble.step, "says": trouble.says, "digests": {}}
    for image in question["images"]:
        path, _, reference = image.partition("@") if "@" in image else image.rpartition(":")
        try:
            digests[image] = registry.digests(path, reference)
        except StepError as trouble:
            troubles.append(trouble)
        except (ValueError, KeyError, AttributeError, TypeError):
            troubles.append(StepError(IMAGE, f"{image} is no image that nodes could run"))
    if troubles:
        worst = min(troubles, key=lambda each: STEPS.index(each.step))
        says = "; ".join(dict.fromkeys(each.says for each in troubles if each.step == worst.step))
        return {"step": worst.step, "says": says, "digests": digests}
    return {"step": "", "says": f"answers, and {len(digests)} images can be pulled", "digests": digests}


def main() -> None:
    """Look as the variables say, and print the answer as JSON."""
    json.dump(look(json.loads(os.environ["QUESTION"]), os.environ.get("PASSWORD", "")), sys.stdout)
    print()


if __name__ == "__main__":
    main()
