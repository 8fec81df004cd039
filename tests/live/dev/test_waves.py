"""From a commit to the eight services, wave by wave; each test finds what the one before left."""

import shutil
import socket
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from infra import stackfile
from infra.aipp.plan import CALLS, WAVES
from ops import preview
from ops.checks import aipp
from tests.live.common.kube import get, kubectl, listed, until
from tests.live.conftest import make
from tests.live.dev import figures, operators, services, tree
from tests.live.dev.operators import NAMESPACE
from tests.live.dev.platform import Platform

pytestmark = pytest.mark.live

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def test_commit_brings_all_eight_wave_by_wave(platform: Platform) -> None:
    figures.FILE.unlink(missing_ok=True)
    tree.write(platform.manifests.folder)
    begun = time.time()
    commit = platform.manifests.commit_and_push("make render STACK=dev")
    try:
        until("Application Synced and Healthy", lambda: services.synced(commit), 900, pause=2)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{services.why()}\n{platform.operators.troubles}") from None
    reached = services.waves()
    secrets = listed(operators.EXTERNAL_SECRETS, NAMESPACE)
    filled_in = [datum["remoteRef"].items() for each in secrets for datum in each["spec"]["data"]]
    assert filled_in
    assert all(operators.DEFAULTS.items() <= each for each in filled_in)  # and Synced none the less
    made = [services.seconds(each["metadata"]["creationTimestamp"]) for each in secrets]
    ready = [services.seconds(each["status"]["conditions"][0]["lastTransitionTime"]) for each in secrets]
    for wave, (first, last) in {0: (min(made), max(ready)), **reached}.items():
        figures.keep("waves", f"{wave} begins", first - begun)
        figures.keep("waves", f"{wave} ready", last - begun)
    for wave in (1, 2, 3):
        assert reached[wave][1] <= reached[wave + 1][0], f"wave {wave + 1} began before: {reached}"
    assert services.not_ready() == []
    # A service that was let start too early would have ended and been started again.
    assert not any(services.restarts().values()), services.restarts()


def test_pods_waited_for_whom_the_plan_says(platform: Platform) -> None:
    for service in WAVES:
        steps = [each["name"] for each in services.pod(service)["spec"].get("initContainers", [])]
        targets = {call.target.removeprefix("enai-") for call in CALLS if call.source == service and call.waits}
        assert {f"wait-for-{target}" for target in targets} <= set(steps), (service, steps)


def test_database_has_the_extension_and_answers_by_it(platform: Platform) -> None:
    assert services.ask_database("SELECT extversion FROM pg_extension WHERE extname = 'vector'") == "0.8.5"
    nearest = "SELECT words FROM texts ORDER BY embedding <-> '[1,2,4]' LIMIT 1"
    assert services.ask_database(nearest) == "a painted lighthouse"


def test_page_opens_in_a_real_browser_through_its_ingress(platform: Platform) -> None:
    config = tree.model().aipp
    assert config
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    rules = f"--host-resolver-rules=MAP {config.host} 127.0.0.1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM, rules])
        page = browser.new_page()
        page.goto(f"http://{config.host}:{operators.PORT}/")
        page.get_by_text("The server says: a painted lighthouse").wait_for(timeout=20_000)
        page.get_by_text("The browser says: a painted lighthouse").wait_for(timeout=20_000)
        browser.close()


def test_verify_opens_the_page_too(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    config, resolve = tree.model().aipp, socket.getaddrinfo
    assert config

    def here(host: str, *rest: Any, **more: Any) -> Any:
        return resolve("127.0.0.1" if host == config.host else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    assert aipp.page(f"http://{config.host}:{operators.PORT}/").ok


def test_management_page_of_the_queue_lets_the_account_in(platform: Platform) -> None:
    service = get("service", "rabbitmq", NAMESPACE)
    assert service is not None
    address = f"http://{service['spec']['clusterIP']}:15672/api/whoami"
    manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    manager.add_password(None, address, "aipp", platform.operators.values["aippQueuePassword"])
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
    with opener.open(address, timeout=10) as answer:
        assert b'"aipp"' in answer.read()


def test_nothing_secret_stands_in_git_or_in_a_config_map(platform: Platform) -> None:
    held = kubectl("get", "configmaps,deployments,statefulsets", "--namespace", NAMESPACE, "--output", "yaml")
    for path in platform.manifests.folder.rglob("*.yaml"):
        held += path.read_text()
    assert platform.operators.values
    for key, value in platform.operators.values.items():
        assert value not in held, key


def test_render_gives_what_was_committed(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command writes byte for byte what Argo CD follows here, given as much of the stack's file as this node keeps.

    Of the whole file it writes the same files, and the exporters of the company's monitoring.
    """
    followed = _services_files(platform.manifests.folder)
    assert followed
    folder = platform.manifests.folder.parent
    make("render", "STACK=dev", f"OUT={folder / 'as-the-company'}")
    names = {name for name in _services_files(folder / "as-the-company") if "-exporter" not in name}
    assert names == set(followed)
    monkeypatch.setattr(stackfile, "configuration", lambda _: tree.config())
    assert preview.render(tree.STACK, folder / "as-here") == 0
    assert _services_files(folder / "as-here") == followed


def _services_files(folder: Path) -> dict[str, bytes]:
    """Return name -> content of the services' files in a tree."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*.yaml")}
    return {name: path.read_bytes() for name, path in found.items() if tree.SERVICES in name}
