"""`python -m chatbot`, as a process: starting, refusing to start, ending, starting again."""

import hashlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.service.chatbot.servers import REDIS_PASSWORD, SERVICE, ChatbotProcess, Server, free_port

API_KEY = "api-key-canary-93ab"
ENGINE_KEY = "engine-key-canary-77d0"
AUTHORIZED = {"Authorization": f"Bearer {API_KEY}"}
CHAT = "/v1/chat/completions"

Start = Callable[..., ChatbotProcess]


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, str]:
    files = {
        "API_KEY_SHA256_FILE": hashlib.sha256(API_KEY.encode()).hexdigest() + "\n\n",
        "ENGINE_KEY_FILE": ENGINE_KEY,
        "REDIS_PASSWORD_FILE": REDIS_PASSWORD,
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    return {name: str(tmp_path / name) for name in files}


@pytest.fixture
def chatbot(tmp_path: Path, secrets: dict[str, str]) -> Iterator[Start]:
    made: list[ChatbotProcess] = []

    def start(**settings: str) -> ChatbotProcess:
        log = tmp_path / f"log-{len(made)}"
        made.append(ChatbotProcess({"DEVICE": "cpu", **secrets, **settings}, log))
        return made[-1]

    yield start
    for process in made:
        process.kill()


def ask(chatbot: ChatbotProcess, text: str, **fields: object) -> httpx.Response:
    body = {"messages": [{"role": "user", "content": text}], **fields}
    return httpx.post(f"{chatbot.url}{CHAT}", json=body, headers=AUTHORIZED, timeout=60)


def test_alone_it_keeps_history_documents_and_sessions_over_a_kill(chatbot: Start, tmp_path: Path) -> None:
    first = chatbot(ROLE="all", DATA_DIR=str(tmp_path / "data"))
    first.start()
    with httpx.Client(base_url=first.url, headers=AUTHORIZED) as client:
        conversation = client.post("/api/conversations").json()["id"]
        client.post("/api/documents", files={"file": ("handbook.md", b"Annual leave is fifteen days.")})
        login = client.post("/api/logins").json()["path"]
    browser = httpx.Client()
    browser.get(f"{first.url}{login}")
    answer = ask(first, "How many days of annual leave?", conversation_id=conversation).json()
    assert "fifteen days. [1]" in answer["choices"][0]["message"]["content"]
    assert answer["citations"][0]["title"] == "handbook.md"
    first.kill()
    second = chatbot(ROLE="all", DATA_DIR=str(tmp_path / "data"), PORT=str(first.port))
    second.start()
    kept = browser.get(f"{second.url}/api/conversations/{conversation}").json()["messages"]
    assert [message["role"] for message in kept] == ["user", "assistant"]
    assert kept[1]["content"] == answer["choices"][0]["message"]["content"]
    assert len(browser.get(f"{second.url}/api/documents").json()["data"]) == 1
    browser.close()


def test_two_roles_with_real_stores_and_no_secret_in_any_log(
    chatbot: Start, tiny_llama: Path, redis: Server, chroma: Server
) -> None:
    engine = chatbot(ROLE="engine", MODEL=str(tiny_llama))
    engine.start(wait=False)
    api = chatbot(
        ROLE="api",
        ENGINE_URL=f"{engine.url}/v1",
        REDIS_URL=f"redis://127.0.0.1:{redis.port}/0",
        CHROMA_URL=f"http://127.0.0.1:{chroma.port}",
    )
    api.start()
    # The engine is still loading its model: the question waits for it.
    answer = ask(api, "The quick brown fox?", max_tokens=5, retrieval=False)
    assert answer.status_code == 200, answer.text
    assert answer.json()["model"] == "tiny-llama"
    assert answer.json()["usage"]["completion_tokens"] <= 5
    long = ask(api, "fox " * 2000, retrieval=False)
    assert (long.status_code, long.json()["error"]["code"]) == (400, "context_length_exceeded")
    login = httpx.post(f"{api.url}/api/logins", headers=AUTHORIZED).json()["path"]
    browser = httpx.Client(base_url=api.url)
    browser.get(login)
    assert browser.get("/api/me").json()["services"] == {"history": "ok", "documents": "ok", "engine": "ok"}
    httpx.get(f"{api.url}/v1/models", headers={"Authorization": "Bearer wrong-canary"})
    httpx.get(f"{engine.url}/v1/models", headers={"Authorization": f"Bearer {ENGINE_KEY}"})
    redis.kill()
    ask(api, "And now?", max_tokens=3)
    scraped = httpx.get(f"http://127.0.0.1:{engine.metrics_port}/metrics").text
    assert 'vllm:generation_tokens_total{model_name="tiny-llama"}' in scraped
    logs = engine.log.read_text() + api.log.read_text()
    assert '"route": "/login/{ticket}"' in logs
    for secret in ("canary", login.rsplit("/", 1)[1], browser.cookies["aihub_session"]):
        assert secret not in logs + scraped
    browser.close()


def test_sigterm_lets_the_answer_end_and_every_log_line_is_json(chatbot: Start, tmp_path: Path) -> None:
    process = chatbot(ROLE="all", DATA_DIR=str(tmp_path / "data"))
    process.start()
    text = "".join(f"Leave rule {number} says that leave number {number} is long enough. " for number in range(60))
    upload = {"file": ("handbook.md", text.encode())}
    httpx.post(f"{process.url}/api/documents", files=upload, headers=AUTHORIZED, timeout=60)
    body = {"messages": [{"role": "user", "content": "Which leave rule is long?"}], "stream": True}
    lines = []
    with httpx.stream("POST", f"{process.url}{CHAT}", json=body, headers=AUTHORIZED, timeout=30) as response:
        for line in response.iter_lines():
            lines.append(line)
            if len(lines) == 3:
                process.terminate()
    assert lines[-2] == "data: [DONE]"
    assert len(lines) > 20
    assert process.wait(20) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{process.url}/livez")
    events = [json.loads(line) for line in process.log.read_text().splitlines()]
    assert [event["status"] for event in events if event.get("route") == CHAT] == [200]
    assert all(len(event["request_id"]) == 32 for event in events if event["event"] == "request")


def test_sigterm_waits_no_longer_for_an_answer_than_the_setting_says(chatbot: Start, redis: Server) -> None:
    api = chatbot(
        ROLE="api",
        ENGINE_URL=f"http://127.0.0.1:{free_port()}/v1",
        REDIS_URL=f"redis://127.0.0.1:{redis.port}/0",
        CHROMA_URL="http://127.0.0.1:1",
        DRAIN_SECONDS="1",
    )
    api.start()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(ask, api, "Anybody?", retrieval=False)  # held back for an engine that never comes
        time.sleep(1)
        api.terminate()
        api.wait(20)
        assert not asked.result(20).is_success


def test_the_api_needs_no_pytorch(secrets: dict[str, str], tmp_path: Path) -> None:
    code = """
import sys
from chatbot.settings import Settings
from chatbot.telemetry import Metrics
from chatbot.wiring import collaborators_for
from chatbot.app import build_app
settings = Settings(role="api", redis_url="redis://127.0.0.1:1/0", chroma_url="http://127.0.0.1:1",
                    api_key_sha256_file=sys.argv[1], engine_key_file=sys.argv[2])
build_app(settings, collaborators_for(settings, Metrics()))
print([name for name in ("torch", "transformers", "sentence_transformers") if name in sys.modules])
"""
    arguments = [sys.executable, "-c", code, secrets["API_KEY_SHA256_FILE"], secrets["ENGINE_KEY_FILE"]]
    outcome = subprocess.run(arguments, cwd=SERVICE, capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == "[]"


def test_the_engine_needs_nothing_but_its_own_packages(tmp_path: Path) -> None:
    code = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        absent = ("redis", "chromadb", "pypdf", "docx", "bs4", "python_multipart", "charset_normalizer", "authlib",
                  "joserfc", "cryptography")
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"{name} is not in the engine's image")
sys.meta_path.insert(0, Refuse())
from pathlib import Path
from chatbot.settings import Settings
from chatbot.telemetry import Metrics
from chatbot.wiring import collaborators_for
from chatbot.app import build_app
settings = Settings(role="engine", engine_key_file=Path(sys.argv[1]), device="cpu")
build_app(settings, collaborators_for(settings, Metrics()))
"""
    key = tmp_path / "key"
    key.write_text("k")
    subprocess.run([sys.executable, "-c", code, str(key)], cwd=SERVICE, check=True, timeout=100)


def refuse(**settings: str) -> str:
    """What the process says when it does not start; asserts the exit code."""
    environment = {f"CHATBOT_{name}": value for name, value in settings.items()}
    outcome = subprocess.run(
        [sys.executable, "-m", "chatbot"], cwd=SERVICE, env=environment, capture_output=True, text=True, timeout=100
    )
    assert outcome.returncode == 2, outcome.stderr
    assert "Traceback" not in outcome.stderr
    return outcome.stderr


def test_without_keys_or_stores_it_refuses_with_everything_at_once() -> None:
    text = refuse(ROLE="all")
    assert "CHATBOT_API_KEY_SHA256_FILE is not set: the service has no open mode" in text
    assert "CHATBOT_DATA_DIR is not set" in text
    assert "CHATBOT_ENGINE_KEY_FILE is not set: role `engine` needs the key" in refuse(ROLE="engine")


def test_how_long_requests_wait_for_the_engine_is_a_setting(chatbot: Start, redis: Server, chroma: Server) -> None:
    api = chatbot(
        ROLE="api",
        ENGINE_URL=f"http://127.0.0.1:{free_port()}/v1",
        ENGINE_HOLD_SECONDS="1",
        REDIS_URL=f"redis://127.0.0.1:{redis.port}/0",
        CHROMA_URL=f"http://127.0.0.1:{chroma.port}",
    )
    api.start()
    started = time.monotonic()
    assert ask(api, "Anybody?", retrieval=False).status_code == 503
    assert 0.4 < time.monotonic() - started < 10


def test_mistakes_in_settings_are_all_named_without_their_values(tmp_path: Path) -> None:
    text = refuse(ROLE="apl", PORT="eighty-canary", MODLE="/models/x-canary", DATA_DIR=str(tmp_path))
    assert "CHATBOT_ROLE" in text
    assert "CHATBOT_PORT" in text
    assert "CHATBOT_MODLE: no such setting (did you mean CHATBOT_MODEL?)" in text
    assert "canary" not in text


@pytest.mark.parametrize(
    "content, expected", [("", "is empty"), (API_KEY, "entry 1 is not a SHA-256"), ("A" * 64, "lower-case")]
)
def test_a_wrong_file_of_keys_is_refused(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "hashes"
    path.write_text(content)
    text = refuse(ROLE="all", API_KEY_SHA256_FILE=str(path), DATA_DIR=str(tmp_path))
    assert expected in text
    assert str(path) in text
    assert API_KEY not in text


def test_a_missing_file_of_keys_is_refused(tmp_path: Path) -> None:
    text = refuse(ROLE="all", API_KEY_SHA256_FILE=str(tmp_path / "none"), DATA_DIR=str(tmp_path))
    assert f"cannot read {tmp_path / 'none'}" in text


def test_a_folder_that_is_no_model_is_refused(secrets: dict[str, str], tmp_path: Path) -> None:
    text = refuse(ROLE="all", **secrets, DATA_DIR=str(tmp_path / "data"), MODEL=str(tmp_path))
    assert f"{tmp_path} is not a usable model: no config.json" in text


@pytest.mark.parametrize("setting", ["PORT", "METRICS_PORT"])
def test_a_taken_port_is_named(setting: str, secrets: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = str(other.getsockname()[1])
        ports = {"PORT": str(free_port()), "METRICS_PORT": str(free_port()), setting: taken}
        text = refuse(ROLE="all", **secrets, DATA_DIR=str(tmp_path / "data"), **ports)
    assert f"CHATBOT_{setting}: cannot listen on 127.0.0.1:{taken}" in text
