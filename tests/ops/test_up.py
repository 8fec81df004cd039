"""What `make up` refuses before it begins, and how it ends early."""

import threading
from pathlib import Path

import pytest

from infra import stackfile
from infra.config import ConfigError
from ops import doctor, up
from ops.clients.chat import ChatClient
from ops.credentials import stack_config
from ops.errors import OpsError


def test_what_has_not_begun_never_does_where_something_else_fails() -> None:
    began, go_on = threading.Event(), threading.Event()
    later: list[str] = []

    def build() -> None:
        began.set()
        go_on.wait(20)

    with pytest.raises(OpsError, match="port taken"), up._one_after_the_other() as builder:
        first = builder.submit(build)
        second = builder.submit(later.append, "second")
        began.wait(20)
        threading.Timer(0.1, go_on.set).start()
        raise OpsError("port taken", "stop it")
    assert first.done()
    assert second.cancelled()
    assert not later


def test_a_chat_that_argo_cd_has_not_deployed_does_not_answer() -> None:
    assert not up._answers(ChatClient(url="http://127.0.0.1:9", api_key="key"))


def test_in_wsl_the_way_from_windows_is_said() -> None:
    """No process listens on a NodePort, so Windows hands on none."""
    said = up._from_windows("http://127.0.0.1:31302")
    assert "cluster up --expose 172.16.0.0/12" in said
    assert "portproxy add v4tov4 listenaddress=127.0.0.1 listenport=31302 connectport=31302 connectaddress=" in said
    assert up._from_windows("https://chat.aihub.local:31084") == ""


@pytest.fixture
def stack_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of stack local's file in a checkout of its own."""
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text((stackfile.CHECKOUT / file.name).read_text())
    monkeypatch.setattr(stackfile, "CHECKOUT", tmp_path)
    return file


def test_a_secret_in_plain_text_is_refused_before_anything_reads_it(stack_file: Path) -> None:
    stack_config("local")
    stack_file.write_text(f"{stack_file.read_text()}\n  aihub:redisPassword: hunter2-canary\n")
    with pytest.raises(OpsError, match=r"aihub:redisPassword: a secret in plain text in Pulumi\.local\.yaml") as caught:
        stack_config("local")
    assert "make secret STACK=local NAME=redisPassword" in str(caught.value)
    assert "hunter2-canary" not in str(caught.value)


def test_a_namespace_of_two_parts_is_refused_before_anything_changes(stack_file: Path) -> None:
    stack_file.write_text(f"{stack_file.read_text()}\n  aihub:data: {{namespace: chat}}\n")
    with pytest.raises(OpsError, match=r"chat would hold data and chat: .*\(data\.namespace, chat\.namespace\)"):
        stack_config("local")


def test_an_encrypted_one_is_left_to_the_engine(stack_file: Path) -> None:
    stack_file.write_text(f"{stack_file.read_text()}\n  aihub:redisPassword:\n    secure: v1:abc\n")
    stack_config("local")
    stack_file.write_text(f"{stack_file.read_text()}\n  aihub:engineKey:\n    plain: word\n")
    with pytest.raises(ConfigError, match="aihub:engineKey"):
        stackfile.configuration("local")


def test_doctor_tells_what_keeps_a_node_from_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from cluster import settings
    from cluster.preflight import Problem

    monkeypatch.setattr(doctor.node_settings, "load", lambda: settings.Node(state=tmp_path / "none"))
    for look in ("ports", "kernel", "routes"):
        monkeypatch.setattr(doctor.node_preflight, look, list)
    assert [finding.ok for finding in doctor._own_machine()] == [True]
    monkeypatch.setattr(doctor.node_preflight, "ports", lambda: [Problem("port 6443 (API server) is taken", "stop it")])
    (found,) = doctor._own_machine()
    assert (found.ok, found.says, found.fix) == (False, "port 6443 (API server) is taken", "stop it")
    monkeypatch.setattr(doctor.node_settings, "load", lambda: settings.Node(state=tmp_path))
    assert doctor._own_machine() == []
