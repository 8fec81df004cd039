"""Where people open the chat."""

from typing import Any

import pytest

from infra.chat.api_login import api_login
from infra.chat.plan import plan
from infra.chat.room import address, gpu_memory_fraction
from infra.chat.secret_files import secret_files
from infra.config import StackConfig, parse
from infra.plan import INGRESS, World
from infra.program import deploy
from infra.recorder import record
from infra.stackfile import stack_names, stack_of
from tests.infra.support import CANARIES, CONFIGS, config_file

FILES = {"config.json": "a" * 64, "model.safetensors": "b" * 64}
REVISION = "0123456789abcdef0123456789abcdef01234567"


def stack_with(**rooms: Any) -> StackConfig:
    registry = {"host": "registry.local:5000", "baseImage": "localhost/aihub/base:bookworm"}
    chat = {"exposure": {"host": "chat.example.com"}, **rooms.pop("chat", {})}
    return parse({"storage": {"class": "local-path"}, "registry": registry, "chat": chat, **rooms})


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
    assert address(stack_with(**changes)) == url


def test_page_of_its_own_is_called_by_the_entrance_and_calls_nobody() -> None:
    page = plan(stack_with(chat={"page": {}}))
    assert [flow.source for flow in page.sources_of("page")] == [INGRESS]
    assert page.targets_of("page") == []
    assert "page" not in plan(stack_with()).pods


@pytest.mark.parametrize(
    ("source", "port"),
    [
        ({"repository": "a/b", "revision": REVISION}, 443),
        ({"address": "http://mirror.example.com:8080/a", "files": FILES}, 8080),
        ({"address": "http://mirror.example.com", "files": FILES}, 80),
    ],
    ids=["hub", "port", "plain-http"],
)
def test_download_may_call_where_the_model_is(source: dict[str, Any], port: int) -> None:
    its = plan(stack_with(chat={"models": {"a": {"source": source}}}))
    assert [(flow.target, flow.port) for flow in its.targets_of("models-download")] == [(World.ANYWHERE, port)]
    assert [flow.target for flow in its.targets_of("models-prune")] == ["engine"]


def test_the_share_of_the_card_leaves_room_for_cuda() -> None:
    engine = {"gpuCount": 1, "gpuMemoryGib": 14}
    assert gpu_memory_fraction(stack_with(chat={"engine": engine}, gpu={"memoryGib": 16, "count": 1})) == 13 / 16
    assert gpu_memory_fraction(stack_with(chat={"engine": engine})) is None


def test_login_gives_the_api_its_settings_its_secret_and_the_way() -> None:
    stack = stack_with(network={"login": {"issuer": "https://login.example.com/realms/a"}, "clusterIssuer": "acme"})
    login = api_login(stack)
    assert login is not None
    assert login.settings == {
        "CHATBOT_OIDC_ISSUER": "https://login.example.com/realms/a",
        "CHATBOT_OIDC_CLIENT_ID": "chat",
        "CHATBOT_OIDC_CLIENT_SECRET_FILE": "/etc/chatbot/secrets/login-client-secret",
        "CHATBOT_OIDC_USER_GROUP": "aihub-users",
        "CHATBOT_OIDC_ADMIN_GROUP": "aihub-admins",
        "CHATBOT_PUBLIC_URL": "https://chat.example.com",
    }
    assert (login.ca_secret, dict(login.host_aliases)) == (None, {})
    assert secret_files(stack)["login-client-secret"] == "${loginChatSecret}"
    assert (World.ANYWHERE, 443) in [(flow.target, flow.port) for flow in plan(stack).targets_of("api")]


def test_without_a_login_there_is_the_api_key() -> None:
    assert api_login(stack_with()) is None
    assert "login-client-secret" not in secret_files(stack_with())


@pytest.mark.parametrize(
    ("config", "warnings"), [("local-path-and-shared-gpu", 1), ("model-on-a-gpu", 0), ("smallest", 0)]
)
def test_a_card_without_a_model_is_named(monkeypatch: pytest.MonkeyPatch, config: str, warnings: int) -> None:
    said: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", lambda message, *_: said.append(message))
    record(deploy, stack="test", config=config_file(CONFIGS / "valid" / f"{config}.yaml"), secrets=CANARIES)
    assert len([message for message in said if message.startswith("aihub:chat.engine.gpuCount is 1")]) == warnings


def test_no_stack_of_this_checkout_holds_a_card_without_a_model() -> None:
    for name in stack_names():
        whole = stack_of(name)
        assert whole.chat.engine.model or not whole.chat.engine.gpu_count, name
