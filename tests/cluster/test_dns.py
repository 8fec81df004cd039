"""The one question that proves pods run, asked of a server that we are."""

import socket
import threading

import pytest

from cluster import dns

ADDRESS = socket.inet_aton("10.96.0.1")


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (lambda asked: asked[:2] + b"rest of an answer" + ADDRESS, None),
        (lambda asked: asked[:2] + b"no such name", "does not know"),
        (lambda asked: b"\0\0" + b"to somebody else" + ADDRESS if asked[:2] != b"\0\0" else b"", "does not know"),
    ],
)
def test_only_the_right_address_in_answer_to_us_will_do(answer, trouble):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def serve() -> None:
            asked, client = server.recvfrom(512)
            server.sendto(answer(asked), client)

        thread = threading.Thread(target=serve)
        thread.start()
        found = dns.trouble("127.0.0.1", server.getsockname()[1])
        thread.join()
    assert found is None if trouble is None else trouble in str(found)


def test_a_server_that_is_away_is_named():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert "cluster DNS" in str(dns.trouble("127.0.0.1", port))


def test_the_question_is_what_rfc_1035_says():
    expected = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x02bc\x00\x00\x01\x00\x01"
    assert dns.query("a.bc", 0x1234) == expected
