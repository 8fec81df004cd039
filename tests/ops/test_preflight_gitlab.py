"""A token that GitLab would refuse in the middle of `pulumi up` is refused before it; seen against a stand-in."""

import importlib
import io
import json
import pkgutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from infra.config import StackConfig, parse
from ops import paths as places
from ops import preflight, secret
from ops.clients import gitlab as client
from ops.credentials import kept, write_private
from ops.errors import OpsError
from ops.machine import Finding
from ops.paths import StackPaths
from ops.preflight import declared, gitlab, run
from tests.infra.registry.registries import Certificates, free_port, served
from tests.infra.support import CONFIGS, config_file
from tests.ops import gitlab_server
from tests.ops.gitlab_server import FOLLOWED, PROJECT, TOKENS, GitLabStandIn

RENEW = "make secret STACK=wsl NAME=gitToken"
WANTED = {PROJECT: ("ci.git.gitlab.project", ("hooks", "deploy_tokens")), FOLLOWED: ("delivery.repository", ("hooks",))}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.made_in(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def _directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of this machine's; no server takes long to be given up."""
    for scheme in ("http", "https", "all"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme.upper()}_PROXY", raising=False)
    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 1.0)


@pytest.fixture
def url() -> Iterator[str]:
    with gitlab_server.gitlab() as address:
        yield address


def found(url: str, token: str = "glpat-group") -> list[Finding]:
    return gitlab.findings(url, token, RENEW, WANTED)


def refused(url: str, token: str = "glpat-group") -> Finding:
    (finding,) = found(url, token)
    assert (finding.name, finding.ok) == ("GitLab", False)
    return finding


def test_a_token_that_may_do_all_of_it(url: str) -> None:
    assert [(each.name, each.ok, each.says) for each in found(url)] == [
        ("GitLab", True, f"{url} knows the token, until 2027-01-31"),
        (f"GitLab {PROJECT}", True, "the token may make webhooks and deploy tokens"),
        (f"GitLab {FOLLOWED}", True, "the token may make webhooks"),
    ]
    assert found(url, "glpat-for-ever")[0].says == f"{url} knows the token"


def test_a_role_that_comes_from_a_group_further_up_counts(url: str) -> None:
    assert all(each.ok for each in found(url, "glpat-from-above"))


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("glpat-nobody-knows", "it is wrong, or its account is gone"),
        ("glpat-expired", "it has expired"),
        ("glpat-revoked", "it was revoked"),
    ],
)
def test_a_token_that_is_not_known_any_more(url: str, token: str, why: str) -> None:
    finding = refused(url, token)
    assert (finding.says, finding.fix) == (f"{url} refuses the token: {why}", RENEW)


def test_a_missing_scope_is_named_with_those_that_are_there(url: str) -> None:
    finding = refused(url, "glpat-reader")
    assert finding.says == "the token's scopes are read_api, read_repository: webhooks and deploy tokens need api"
    assert finding.fix == f"make a token with scope api and role Maintainer, then: {RENEW}"


def test_a_blocked_account_and_a_token_of_another_kind(url: str) -> None:
    assert refused(url, "glpat-blocked").says == (
        f"{url} refuses the token: /personal_access_tokens/self of its API answers 403"
    )
    assert refused(url, "glpat-of-a-job").says == f"{url}: this is no personal, project or group access token"


@pytest.mark.parametrize(
    ("token", "role"), [("glpat-developer", "Developer"), ("glpat-developer-from-above", "below Maintainer")]
)
def test_a_role_below_maintainer(url: str, token: str, role: str) -> None:
    finding = found(url, token)[1]
    assert (finding.name, finding.ok) == (f"GitLab {PROJECT}", False)
    assert finding.says == f"the token may make no webhooks: its role is {role}, and they need Maintainer"


def test_a_project_that_the_token_does_not_see_is_named_with_its_field(url: str) -> None:
    known, own, followed = found(url, "glpat-project")
    assert (known.ok, own.ok, followed.ok) == (True, True, False)
    assert followed.says == f"there is no project {FOLLOWED}, or none that the token sees"
    assert followed.fix.startswith("correct delivery.repository, or take a token of that project (of a group or")


def test_the_way_to_gitlab_step_by_step() -> None:
    assert refused("https://gitlab.invalid").says == "gitlab.invalid does not resolve"
    port = free_port()
    assert refused(f"https://127.0.0.1:{port}").says == (
        f"127.0.0.1:{port} refuses the connection: nothing listens there"
    )


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        finding = refused(f"http://127.0.0.1:{port}")
    assert finding.says == f"127.0.0.1:{port} does not answer within 1 s: a firewall, or no route"


def test_a_companys_authority_is_refused_until_this_machine_trusts_it(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gitlab_server.gitlab(certificates) as address:
        finding = refused(address)
        assert finding.says == (
            f"the certificate of {address.removeprefix('https://')} is not trusted here: "
            "unable to get local issuer certificate"
        )
        assert "update-ca-certificates" in finding.fix
        assert GitLabStandIn.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
        assert all(each.ok for each in found(address))


def test_a_certificate_of_another_name(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    resolve = socket.getaddrinfo
    here: Callable[..., Any] = lambda host, *rest, **more: resolve("127.0.0.1", *rest, **more)  # noqa: E731 - one line
    monkeypatch.setattr(socket, "getaddrinfo", here)
    with gitlab_server.gitlab(certificates) as address:
        finding = refused(address.replace("localhost", "gitlab.example.com"))
    assert "Hostname mismatch" in finding.says


def test_http_and_https_mistaken_for_one_another(url: str, certificates: Certificates) -> None:
    finding = refused(url.replace("http:", "https:"))
    assert finding.says.startswith(f"{url.removeprefix('http://')} speaks no TLS (")
    with gitlab_server.gitlab(certificates) as address:
        finding = refused(address.replace("https:", "http:"))
    assert finding.fix.startswith("correct ci.git.gitlab.url: http or https")


class Page(GitLabStandIn):
    """A web server that is no GitLab."""

    status: ClassVar[int] = 200
    sends_to: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        self.say(self.status, f"<html>{self.headers['PRIVATE-TOKEN']}", **self.sends_to)


@pytest.mark.parametrize("status", [200, 401, 404])
def test_a_web_server_that_is_no_gitlab(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Page, "status", status)
    with served(Page) as port:
        finding = refused(f"http://localhost:{port}")
    assert finding.says == (
        f"http://localhost:{port} is no GitLab: /personal_access_tokens/self of its API answers {status} and a page"
    )


def test_a_gitlab_with_trouble_is_no_wrong_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Page, "status", 502)
    with served(Page) as port:
        finding = refused(f"http://localhost:{port}")
    assert finding.says == f"http://localhost:{port} answers 502: it starts, rests or has trouble"


def test_the_token_goes_to_no_other_address(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Page, "status", 302)
    monkeypatch.setattr(Page, "sends_to", {"Location": f"{url}/login?next=glpat-group"})
    with served(Page) as port:
        finding = refused(f"http://localhost:{port}")
    assert finding.says.endswith("sends whoever asks for /personal_access_tokens/self to http://localhost")
    assert GitLabStandIn.asked == []


def test_a_path_below_which_gitlab_lies_is_asked(url: str) -> None:
    assert "is no GitLab" in refused(f"{url}/gitlab").says
    assert GitLabStandIn.asked == ["/gitlab/api/v4/personal_access_tokens/self"]


def test_a_proxy_is_used_as_the_provider_uses_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", url)
    monkeypatch.setenv("no_proxy", "other.invalid")
    assert all(each.ok for each in found("http://gitlab.invalid"))
    monkeypatch.setenv("no_proxy", "gitlab.invalid")
    assert refused("http://gitlab.invalid").says == "gitlab.invalid does not resolve"


def test_no_finding_holds_the_token(url: str) -> None:
    with served(Page) as port:
        for token in (*TOKENS, "glpat-nobody-knows", "glpat-group\n"):
            for address in (url, "http://gitlab.invalid", f"http://localhost:{port}"):
                said = " ".join(f"{each.name} {each.says} {each.fix}" for each in found(address, token))
                assert token.strip() not in said


def test_no_finding_holds_what_a_server_throws_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def throw_back() -> None:
            client, _ = server.accept()
            with client:
                client.sendall(client.recv(4096).replace(b"\r\n", b" ") + b"\r\n\r\n")

        threading.Thread(target=throw_back, daemon=True).start()
        place = f"127.0.0.1:{server.getsockname()[1]}"
        finding = refused(f"http://{place}")
    assert finding.says == f"{place} gives no answer as a web server does (BadStatusLine)"


@pytest.mark.parametrize("token", ["glpat-group\n", "glpat group", "glpat-gröup"])
def test_a_token_that_no_header_takes_is_sent_nowhere(url: str, token: str) -> None:
    finding = refused(url, token)
    assert (finding.says, finding.fix) == (
        "gitToken holds a space, a line break or a letter that no token has",
        RENEW,
    )
    assert GitLabStandIn.asked == []


def stack(url: str) -> StackConfig:
    rooms = json.dumps(config_file(CONFIGS / "valid" / "ci-with-gitlab.yaml"))
    mapped = json.loads(rooms.replace("https://gitlab.example.com", url))
    return parse(mapped)


def test_the_stacks_own_token_and_projects_are_asked_about(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PRIVATE", tmp_path / ".aihub")
    (finding,) = gitlab.looks("wsl", stack(url))
    assert (finding.ok, finding.says, finding.fix) == (False, "gitToken was not given yet", RENEW)
    write_private(StackPaths("wsl").secrets, json.dumps({"gitToken": "glpat-group"}))
    assert [each.name for each in gitlab.looks("wsl", stack(url)) if each.ok] == [
        "GitLab",
        f"GitLab {PROJECT}",
        f"GitLab {FOLLOWED}",
    ]
    whole = stack(url)
    untold = whole.delivery.model_copy(update={"argocd": None})
    alone = gitlab.looks("wsl", whole.model_copy(update={"delivery": untold}))
    assert [each.name for each in alone] == ["GitLab", f"GitLab {PROJECT}"]


def test_a_new_token_takes_the_place_of_the_old_one_only_if_gitlab_takes_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PRIVATE", tmp_path / ".aihub")
    paths = StackPaths("wsl")
    write_private(paths.secrets, json.dumps({"gitToken": "glpat-for-ever"}))
    monkeypatch.setattr("sys.stdin", io.StringIO("glpat-reader\n"))
    with pytest.raises(OpsError, match="GitLab: the token's scopes are read_api"):
        secret.renew(paths, stack(url), "gitToken")
    assert kept(paths) == {"gitToken": "glpat-for-ever"}
    monkeypatch.setattr("sys.stdin", io.StringIO("glpat-group\n"))
    secret.renew(paths, stack(url), "gitToken")
    assert kept(paths)["gitToken"] == "glpat-group"


def test_a_stack_without_a_gitlab_is_asked_nothing() -> None:
    rooms = config_file(CONFIGS / "valid" / "ci-with-gitea.yaml")
    assert gitlab.looks("wsl", parse(rooms)) == []


@pytest.mark.parametrize("before_up", [True, False])
def test_both_up_and_doctor_look(before_up: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PRIVATE", tmp_path / ".aihub")
    monkeypatch.setenv("KUBECONFIG", "/dev/null")
    for each in pkgutil.iter_modules(preflight.__path__):
        module = importlib.import_module(f"ops.preflight.{each.name}")
        if hasattr(module, "looks"):
            monkeypatch.setattr(module, "looks", lambda *_, **__: [])
    monkeypatch.setattr(gitlab, "looks", lambda name, _: [Finding(name=f"GitLab of {name}", ok=True, says="")])
    monkeypatch.setattr(declared, "declared", lambda _: SimpleNamespace(stack=None))
    assert "GitLab of wsl" in [each.name for each in run.of_stack("wsl", before_up)]
