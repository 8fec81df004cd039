"""The way to what the stack's own ingress controller serves: no name or certificate of it must be known here first."""

import base64
import http.client
import socket
import ssl
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from infra.config import StackConfig
from infra.config.network import is_private
from infra.network.names import CA_SECRET
from ops.kubectl import Kubectl


class _ToNode(http.client.HTTPConnection):
    """A connection to the node, whatever host it asks for."""

    node: str

    def connect(self) -> None:
        """Connect; the host's name stays in the request, and is what a certificate must be for."""
        self.sock = socket.create_connection((self.node, self.port), self.timeout)


class _ToNodeByTls(http.client.HTTPSConnection, _ToNode):
    """The same with TLS around it."""


class _OwnNames(urllib.request.AbstractHTTPHandler):
    """Opens the names that no DNS knows."""

    handler_order = 50
    """Before a proxy's, which knows none of them either."""

    def __init__(self, node: str, context: ssl.SSLContext) -> None:
        super().__init__()
        self._node, self._context = node, context

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse | None:
        """Open such a name, or leave it to others."""
        return self.do_open(self._plain, request) if _is_own(request) else None

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse | None:
        """Open such a name, or leave it to others."""
        return self.do_open(self._tls, request) if _is_own(request) else None

    def _plain(self, host: str, **options: Any) -> _ToNode:
        connection = _ToNode(host, **options)
        connection.node = self._node
        return connection

    def _tls(self, host: str, **options: Any) -> _ToNode:
        connection = _ToNodeByTls(host, context=self._context, **options)
        connection.node = self._node
        return connection


def _is_own(request: urllib.request.Request) -> bool:
    return is_private(urlsplit(request.full_url).hostname or "")


def opener(kubectl: Kubectl, stack: StackConfig) -> urllib.request.OpenerDirector:
    """Return what opens the stack's addresses: it trusts the stack's own root, and finds its names on the node.

    Raises:
        OpsError: the cluster does not answer.
    """
    network, context = stack.network, ssl.create_default_context()
    certificates = network.certificates
    if certificates and certificates.issuer == "ownCa":
        where = ("-n", certificates.namespace, "secret", CA_SECRET)
        root = kubectl.ask("get", *where, "--ignore-not-found", "-o", r"jsonpath={.data.tls\.crt}")
        if root:  # else it is not made yet, and nothing has a certificate
            context.load_verify_locations(cadata=base64.b64decode(root).decode())
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
    if network.controller:
        # It listens on every node, and where the API server answers is one that can be reached from here.
        server = kubectl.ask("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        handlers.append(_OwnNames(urlsplit(server).hostname or "", context))
    return urllib.request.build_opener(*handlers)
