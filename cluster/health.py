"""Asking a component whether it is well."""

import socket
import ssl
import urllib.error
import urllib.request

from cluster.components.service import HttpHealth, SocketHealth

TIMEOUT_SECONDS = 3.0


def context(check: HttpHealth) -> ssl.SSLContext | None:
    """Return how to speak to the server; None: plain HTTP."""
    if check.authority is None:
        return None
    context = ssl.create_default_context(cafile=str(check.authority))
    if check.certificate:
        context.load_cert_chain(check.certificate, check.certificate.with_suffix(".key"))
    return context


def trouble(check: HttpHealth | SocketHealth | None) -> str | None:
    """Return what is wrong, in one line; None: it is well."""
    try:
        if isinstance(check, HttpHealth):
            # The address is a constant of ours, http or https on this machine.
            urllib.request.urlopen(check.url, timeout=TIMEOUT_SECONDS, context=context(check)).close()  # noqa: S310
        elif isinstance(check, SocketHealth):
            unix = isinstance(check.address, str)
            with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as connection:
                connection.settimeout(TIMEOUT_SECONDS)
                connection.connect(check.address)
    except urllib.error.HTTPError as error:
        lines = error.read().decode(errors="replace").splitlines()
        return f"{error.code}: {next((line for line in lines if '[-]' in line), error.reason)}"
    except (OSError, ssl.SSLError) as error:
        return str(error)
    return None
