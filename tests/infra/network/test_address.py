"""The port in an address is the controller's that answers there."""

from typing import Any

import pytest

from infra.network.address import cluster_issuer, public_url
from tests.infra.network.support import ACME, FOREIGN, OURS, stack_of

OWN = {"controller": {"httpPort": 31302, "httpsPort": 31084}}
HTTPS = {"certificates": {"issuer": "ownCa"}}


@pytest.mark.parametrize(
    ("network", "url"),
    [
        ({}, "http://chat.example.com"),
        ({"ingressPort": 8080}, "http://chat.example.com:8080"),
        ({"clusterIssuer": "theirs"}, "https://chat.example.com"),
        ({"clusterIssuer": "theirs", "ingressPort": 8443}, "https://chat.example.com:8443"),
        (OWN, "http://chat.example.com:31302"),
        (OWN | HTTPS, "https://chat.example.com:31084"),
        (OWN | {"clusterIssuer": "theirs"}, "https://chat.example.com:31084"),
    ],
)
def test_scheme_and_port_follow_from_controller_and_issuer(network: dict[str, Any], url: str) -> None:
    config = {**FOREIGN, "aihub:network": {}}
    assert public_url(stack_of(config, **network), "chat.example.com") == url


def test_the_issuer_is_ours_or_theirs_or_none() -> None:
    assert [cluster_issuer(stack_of(config)) for config in (OURS, ACME, FOREIGN)] == ["own-ca", "acme", "letsencrypt"]
    assert cluster_issuer(stack_of(FOREIGN, clusterIssuer=None)) is None
