"""The whole of stack ``local`` on the real node: in this order, each test finds what the one before left."""

import json
import os
import re
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from ops.clients.chat import ChatError, answer_of
from ops.credentials import API_KEY, kept, load_or_make, stack_config
from ops.paths import CHECKOUT, SERVICE, StackPaths
from tests.live.conftest import NODE, Installation, by_hand, killed_up, make
from tests.live.tiny import FOUR_PIXELS, configure, served, tiny_model_that_sees

pytestmark = pytest.mark.live

FACT = "The lighthouse of Hwado was painted green in 1987 by the keeper's daughter."
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def test_up_prints_where_the_chat_and_its_key_are(installation: Installation) -> None:
    assert stat.S_IMODE(installation.key_file.stat().st_mode) == 0o600
    assert installation.chat.json("GET", "/api/me")["services"] == {
        "history": "ok",
        "documents": "ok",
        "engine": "ok",
    }


def test_dropped_document_is_cited_in_a_streamed_answer(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "lighthouse.md").write_text(f"# The lighthouse\n\n{FACT}\n")
    make("documents", f"DIR={tmp_path}")
    text, citations, pieces = answer_of(installation.chat.stream("What colour is the lighthouse of Hwado?"))
    assert "green" in text
    assert pieces > 1
    assert any("lighthouse.md" in citation["title"] for citation in citations)


def test_page_answers_in_a_real_browser(installation: Installation) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en")
        page.goto(installation.chat.login_url())
        box = page.get_by_role("textbox").last
        box.fill("What colour is the lighthouse of Hwado?")
        box.press("Enter")
        page.get_by_text("painted green").last.wait_for(timeout=60_000)
        page.screenshot(path=str(StackPaths("local").directory / "chat.png"))
        browser.close()


def test_second_up_changes_nothing(installation: Installation) -> None:
    done = by_hand("pulumi up --yes --non-interactive --skip-preview --expect-no-changes")
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_secret_lies_in_state_or_is_printed(installation: Installation) -> None:
    paths = StackPaths("local")
    credentials = load_or_make(paths, stack_config("local"))
    stored = "".join(path.read_text(errors="replace") for path in paths.state.rglob("*") if path.is_file())
    printed = installation.output + paths.config.read_text() + paths.environment.read_text()
    assert {API_KEY, "redisPassword", "engineKey"} < set(credentials.values)
    for secret in credentials.values.values():
        assert secret not in stored
        assert secret not in printed


def test_verify_has_a_contract_for_machines(installation: Installation) -> None:
    report = json.loads(make("verify", "JSON=1"))
    assert report["ok"]
    assert all({"name", "ok", "says", "fix"} == set(check) for check in report["checks"])


def test_new_code_rolls_out_without_a_failed_request(installation: Installation) -> None:
    digest = "kubectl -n chat get deployment api -o jsonpath='{.spec.template.spec.containers[0].image}'"
    before = by_hand(digest).stdout
    failures: list[str] = []
    answered = 0
    stop = threading.Event()

    def ask() -> None:
        nonlocal answered
        body = {"model": "default", "messages": [{"role": "user", "content": "What colour is the lighthouse?"}]}
        while not stop.is_set():
            try:
                installation.chat.json("POST", "/v1/chat/completions", body)
                answered += 1
            except Exception as error:
                failures.append(f"{time.strftime('%T')} {type(error).__name__}: {error}")
            time.sleep(0.2)

    source = SERVICE / "chatbot" / "__init__.py"
    original = source.read_text()
    asker = threading.Thread(target=ask)
    asker.start()
    try:
        source.write_text(original + "# a change\n")
        done = by_hand("pulumi up --yes --non-interactive --skip-preview")
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        source.write_text(original)
        stop.set()
        asker.join()
    assert by_hand(digest).stdout != before
    assert answered > 10
    assert not failures


def test_a_model_is_fetched_verified_and_answers_to_an_image(installation: Installation, tmp_path: Path) -> None:
    files = tiny_model_that_sees(tmp_path)
    with served(tmp_path) as address:
        source = {"address": address, "files": files}
        configure("chat", models={"tiny": {"source": source}}, engine={"model": "tiny"})
        done = by_hand("pulumi up --yes --non-interactive --skip-preview")
    assert done.returncode == 0, done.stdout + done.stderr
    (model,) = installation.chat.json("GET", "/v1/models")["data"]
    assert (model["id"], model["engine"], model["images"]) == ("tiny", "transformers", True)
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{FOUR_PIXELS}"}}
    content = [{"type": "text", "text": "What is this?"}, image]
    body = {
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 16,
        "ignore_eos": True,
        "retrieval": False,
    }
    usage = installation.chat.json("POST", "/v1/chat/completions", {"model": "tiny", **body})["usage"]
    assert usage["completion_tokens"] == 16
    assert usage["prompt_tokens"] > 16, "the image takes as many by itself"
    # What was fetched is verified and stays; the next `make` reads the committed file again, without a model.
    said = by_hand("kubectl -n chat logs --selector=app.kubernetes.io/name=models-download --tail=-1").stdout
    assert all(f"{path}: fetching" in said for path in files)


@pytest.mark.parametrize("name", ["redisPassword", "apiKey"])
def test_a_renewed_secret_reaches_everybody_who_uses_it(installation: Installation, name: str) -> None:
    before, chat = kept(StackPaths("local")), installation.chat
    conversation = chat.json("POST", "/api/conversations", {"title": name})["id"]
    printed = make("secret", f"NAME={name}")
    after = kept(StackPaths("local"))
    assert after[name] != before[name]
    assert after[name] not in printed
    if name == "apiKey":
        with pytest.raises(ChatError) as refused:
            chat.json("GET", "/api/me")
        assert refused.value.status == 401
    deadline = time.monotonic() + 60
    while installation.chat.json("GET", "/api/me")["services"]["history"] != "ok":
        assert time.monotonic() < deadline, "the api and Redis have different passwords"
        time.sleep(1)
    listed = installation.chat.json("GET", "/api/conversations")["data"]
    assert conversation in {each["id"] for each in listed}


def test_a_backup_brings_back_what_was_deleted(installation: Installation, tmp_path: Path) -> None:
    chat = installation.chat
    conversation = chat.json("POST", "/api/conversations", {"title": "Backed up"})["id"]
    question = {"role": "user", "content": "What colour is the lighthouse of Hwado?"}
    chat.json("POST", "/v1/chat/completions", {"model": "d", "conversation_id": conversation, "messages": [question]})
    before = chat.json("GET", f"/api/conversations/{conversation}")["messages"]
    documents = chat.json("GET", "/api/documents")["data"]
    assert len(before) == 2
    assert documents

    make("backup", f"OUT={tmp_path}")
    (folder,) = tmp_path.iterdir()
    secrets = kept(StackPaths("local")).values()
    assert not [path.name for path in folder.iterdir() for secret in secrets if secret.encode() in path.read_bytes()]
    chat.request("DELETE", f"/api/conversations/{conversation}")
    for document in documents:
        chat.request("DELETE", f"/api/documents/{document['id']}")
    assert chat.json("GET", "/api/documents")["data"] == []

    make("restore", f"FROM={folder}", expect=2)  # Redis is not empty
    assert chat.json("GET", "/api/documents")["data"] == []
    assert "all of it is as it was" in make("restore", f"FROM={folder}", "REPLACE=yes")
    deadline = time.monotonic() + 60
    while chat.json("GET", "/api/me")["services"]["history"] != "ok":
        assert time.monotonic() < deadline, "the api does not find Redis again"
        time.sleep(1)
    assert chat.json("GET", f"/api/conversations/{conversation}")["messages"] == before
    assert chat.json("GET", "/api/documents")["data"] == documents


def test_data_outlive_destroy_and_a_power_failure(installation: Installation) -> None:
    chat = installation.chat
    conversation = chat.json("POST", "/api/conversations", {"title": "Kept"})["id"]
    question = {"role": "user", "content": "What colour is the lighthouse of Hwado?"}
    chat.json("POST", "/v1/chat/completions", {"model": "d", "conversation_id": conversation, "messages": [question]})
    before = chat.json("GET", f"/api/conversations/{conversation}")["messages"]
    assert len(before) == 2
    printed = make("destroy")
    assert "kept: volume data/redis" in printed
    killed_up("Kubernetes node", 0)
    killed_up("pulumi up", 10)
    installation.up()
    assert installation.chat.json("GET", f"/api/conversations/{conversation}")["messages"] == before
    documents = installation.chat.json("GET", "/api/documents")["data"]
    assert any("lighthouse.md" in document["name"] for document in documents)


def test_destroy_with_volumes_leaves_nothing(installation: Installation) -> None:
    printed = make("destroy", "VOLUMES=delete")
    assert all(f'namespace "{name}" deleted' in printed for name in ("chat", "data", "registry"))
    assert not NODE.exists()
    assert not Path("/run/aihub").exists()
    assert not StackPaths("local").directory.exists() or not any(StackPaths("local").directory.iterdir())
    # By the node's folder, which each of its processes names: other tests have API servers of their own meanwhile.
    listed = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout
    assert not re.findall(rf".*{NODE}.*", listed)
    mounts = Path("/proc/mounts").read_text()
    assert str(NODE) not in mounts
    assert "registry.local" not in Path("/etc/hosts").read_text()
    status = subprocess.run(["git", "status", "--porcelain"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert os.environ.get("CI") != "true" or status.stdout == ""
