"""Where people open the chat."""

from typing import Any

import pytest

from infra.chat.room import address
from infra.config import parse


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"chat": {"exposure": {"nodePort": 31302}}}, "http://127.0.0.1:31302"),
        (
            {"chat": {"exposure": {"nodePort": 31302}}, "cluster": {"nodeAddress": "10.0.0.7"}},
            "http://10.0.0.7:31302",
        ),
        ({"chat": {"exposure": {"host": "chat.example.com"}}}, "http://chat.example.com"),
        (
            {"chat": {"exposure": {"host": "chat.example.com"}}, "network": {"ingressPort": 31302}},
            "http://chat.example.com:31302",
        ),
        (
            {"chat": {"exposure": {"host": "chat.example.com"}}, "network": {"clusterIssuer": "letsencrypt"}},
            "https://chat.example.com",
        ),
    ],
    ids=["node-port", "another-node", "host", "port-of-the-controller", "certificate"],
)
def test_address(changes: dict[str, Any], url: str) -> None:
    registry = {"host": "registry.local:5000", "baseImage": "localhost/aihub/base:bookworm"}
    stack = parse({"storage": {"class": "local-path"}, "registry": registry, **changes})
    assert address(stack) == url
