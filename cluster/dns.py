"""One question to the cluster's DNS server: the only proof that pods run and find each other."""

import secrets
import socket
import struct

from cluster.settings import API_SERVICE_ADDRESS, DNS_ADDRESS, DOMAIN

TIMEOUT_SECONDS = 1.0
NAME = f"kubernetes.default.svc.{DOMAIN}"
RECURSION_DESIRED = 0x0100
A, INTERNET = 1, 1


def query(name: str, number: int) -> bytes:
    """Return the DNS message (RFC 1035) that asks for a name's IPv4 address."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", number, RECURSION_DESIRED, 1, 0, 0, 0) + labels + struct.pack("!xHH", A, INTERNET)


def trouble(server: str = DNS_ADDRESS, port: int = 53) -> str | None:
    """Return why the API server's own name is not resolved to its address; None: it is."""
    number = secrets.randbelow(2**16)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        try:
            connection.connect((server, port))
            connection.send(query(NAME, number))
            answer = connection.recv(512)
        except OSError as error:
            return f"cluster DNS: {error}"
    # The address is the last field of the only record.
    right = answer[:2] == struct.pack("!H", number) and answer.endswith(socket.inet_aton(API_SERVICE_ADDRESS))
    return None if right else f"cluster DNS does not know {NAME}"
