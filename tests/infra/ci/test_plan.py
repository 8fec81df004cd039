"""Whom pipelines call beyond the cluster."""

import re

import pytest

from infra.ci.agents import DRIFT, REVIEW
from infra.ci.build_pod import COMPONENT as BUILD
from infra.ci.plan import plan
from infra.ci.webhook import JENKINS
from infra.config.load import parse
from infra.plan import World
from infra.stackfile import CHECKOUT
from tests.infra.ci.support import GITLAB
from tests.infra.support import config_file


def ports(url: str = "https://gitlab.example.com", registry: str = "harbor.example.com") -> dict[str, set[int]]:
    """Return who calls -> ports of anywhere."""
    rooms = config_file(GITLAB)
    rooms["aihub:ci"]["git"]["gitlab"]["url"] = url
    rooms["aihub:delivery"]["repository"] = f"{url}/platform/gitops.git"
    rooms["aihub:registry"]["host"] = registry
    found: dict[str, set[int]] = {}
    for flow in plan(parse(rooms)).flows:
        if flow.target == World.ANYWHERE:
            found.setdefault(flow.source, set()).add(flow.port)
    return found


def test_builds_reach_debian_where_a_dockerfile_of_theirs_asks_it() -> None:
    folders = [
        folder
        for file in ("service/Jenkinsfile", "service/web/Jenkinsfile")
        for folder in re.findall(r"context: '([^']+)'", (CHECKOUT / file).read_text())
    ]
    assert any("apt-get" in (CHECKOUT / folder / "Dockerfile").read_text() for folder in folders)
    assert ports()[BUILD] == {80, 443}


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://gitlab.example.com", 80), ("http://10.0.0.5:8929", 8929), ("https://gitlab.example.com:8443", 8443)],
)
def test_a_gitlab_is_reached_at_its_own_port(url: str, port: int) -> None:
    found = ports(url)
    assert all(port in found[caller] for caller in (JENKINS, BUILD, REVIEW, DRIFT))
    assert found[REVIEW] == {443, port}


def test_a_registry_elsewhere_is_reached_at_its_own_port() -> None:
    assert 5050 in ports(registry="gitlab.example.com:5050")[BUILD]
