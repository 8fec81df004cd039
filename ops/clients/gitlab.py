"""What these commands ask of a GitLab. They only read, and never print the token.

The standard library carries the requests: as the provider of `pulumi up` it takes proxies from the environment, and it
can be told to trust the very same authorities. `requests` has a list of its own, and adds a login from ~/.netrc.
"""

import json
import os
import socket
import ssl
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from ops.errors import OpsError

TIMEOUT_SECONDS = 10.0
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
CORRECT = "correct ci.git.gitlab.url"
"""What to do about an address that leads nowhere."""
_ANSWER_BYTES = 2**20
_PROXY = "behind a proxy look at https_proxy and no_proxy"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What GitLab's API said."""

    path: str
    """What it was asked for."""
    status: int
    body: Any
    """Its JSON; None: it was a page."""
    location: str
    """Where it sends whoever asks; empty: nowhere."""

    @property
    def fields(self) -> dict[str, Any]:
        """Its JSON, if that is an object."""
        return self.body if isinstance(self.body, dict) else {}


class GitLab:
    """One GitLab's API, version 4, as one token sees it."""

    def __init__(self, url: str, token: str) -> None:
        """Take its address and the token."""
        self.url, self._token = url.rstrip("/"), token

    def ask(self, path: str) -> Answer:
        """Return what it answers, yes or no.

        Raises:
            OpsError: nobody answers, or no GitLab.
        """
        answer = self._get(path)
        if answer.status >= 500 or answer.status == 429:
            raise OpsError(f"{self.url} answers {answer.status}: it starts, rests or has trouble", "try again later")
        if 300 <= answer.status < 400:
            raise OpsError(
                f"{self.url} sends whoever asks for {answer.path} to {_place(answer.location)}",
                f"{CORRECT}, or the project's path if it was moved; the token goes to no other address",
            )
        if answer.body is None:
            raise OpsError(
                f"{self.url} is no GitLab: {answer.path} of its API answers {answer.status} and a page",
                f"{CORRECT}: http or https, its port, and its path where it has one (https://example.com/gitlab)",
            )
        return answer

    def _get(self, path: str) -> Answer:
        request = Request(f"{self.url}/api/v4/{path}", headers={"PRIVATE-TOKEN": self._token})  # noqa: S310 - http(s)
        try:
            with _opener().open(request, timeout=TIMEOUT_SECONDS) as response:
                text, location = response.read(_ANSWER_BYTES), response.headers.get("Location", "")
        except (OSError, HTTPException) as error:
            # Never the error itself: it may quote what a server said.
            raise self._unreachable(error.reason if isinstance(error, URLError) else error) from None
        return Answer(path=f"/{path}", status=response.status, body=_json(text), location=location)

    def _unreachable(self, reason: object) -> OpsError:
        parts = urlsplit(self.url)
        port = parts.port or {"http": 80}.get(parts.scheme, 443)
        place = f"{parts.hostname}:{port}"
        match reason:
            case socket.gaierror():
                says, fix = f"{parts.hostname} does not resolve", f"add it to the DNS or /etc/hosts, or {CORRECT}"
            case ConnectionRefusedError():
                says, fix = f"{place} refuses the connection: nothing listens there", CORRECT
            case TimeoutError():
                says = f"{place} does not answer within {TIMEOUT_SECONDS:g} s: a firewall, or no route"
                fix = f"have this machine let through (e.g. join the VPN), or {CORRECT}"
            case ssl.SSLCertVerificationError():
                says = f"the certificate of {place} is not trusted here: {reason.verify_message}"
                fix = (
                    "of a company's authority: its certificate to /usr/local/share/ca-certificates/NAME.crt, then "
                    "sudo update-ca-certificates (docs/ci.md says who else must trust it); else have it renewed"
                )
                return OpsError(says, fix)
            case ssl.SSLError():
                says, fix = f"{place} speaks no TLS ({reason.reason})", f"{CORRECT}: http or https, and its port"
            case _:
                says = f"{place} gives no answer as a web server does ({type(reason).__name__})"
                fix = f"{CORRECT}: http or https, and its port"
        return OpsError(says, f"{fix}; {_PROXY}")


def _opener() -> OpenerDirector:
    """Return what asks, by the authorities and rules of a Go program, whatever this Python came with.

    It takes every status as an answer, and follows nobody: the token is for the address in the stack's file.
    """
    file = Path(os.environ.get("SSL_CERT_FILE", AUTHORITIES))
    context = ssl.create_default_context(cafile=file if file.is_file() else None)
    context.hostname_checks_common_name = False
    # Python from 3.13 on asks more than Go of what a company's own authority often leaves out.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(context=context)):
        opener.add_handler(handler)
    return opener


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _place(location: str) -> str:
    """Return the host of an address, without what may stand behind it."""
    parts = urlsplit(location)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "another page of its own"
