"""A company's authorities, stated once: whoever calls out trusts them, beside the public ones."""

import json
import os
import shutil
import subprocess
from functools import cache
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml

from infra.ci.build_pod import Build, Source, build_pod
from infra.ci.builder import builder_of
from infra.config import parse, pem
from infra.network.authorities import BUNDLE, CONFIG_MAP, FILE, FOLDER, MAKE_BUNDLE, VERSION, version_of
from infra.program import deploy
from infra.recorder import Recording, record
from tests.infra.registry.registries import Certificates, served
from tests.infra.support import CANARIES, CONFIGS, config_file, of_kind, pod_of

COMPANY = config_file(CONFIGS / "valid" / "authorities-of-a-company.yaml")
TRUST = [{"name": "SSL_CERT_FILE", "value": BUNDLE}, {"name": "GIT_SSL_CAINFO", "value": BUNDLE}]


def with_rooms(**rooms: Any) -> dict[str, Any]:
    return {**COMPANY, **{f"aihub:{name}": {**COMPANY[f"aihub:{name}"], **fields} for name, fields in rooms.items()}}


DEX = {
    "host": "login.aihub.local",
    "image": "docker.io/dexidp/dex:v2.45.1",
    "administrator": "kim@aihub.local",
    "connector": {"type": "ldap", "name": "Directory", "config": {"host": "ldap.example.com:636"}, "port": 636},
}


@cache
def recorded(login: str = "theirs") -> Recording:
    config = COMPANY if login == "theirs" else with_rooms(network={"login": {"dex": DEX}})
    if login == "ours":
        config["aihub:observability"] = {"stack": {"grafanaHost": "grafana.aihub.local"}}
    return record(deploy, stack="test", config=config, secrets=CANARIES)


def values(chart: str, login: str = "theirs") -> dict[str, Any]:
    (found,) = (each for each in recorded(login).resources if each.name == f"{chart}-release")
    return dict(found.properties["values"])


def agents() -> list[dict[str, Any]]:
    found = []

    def walk(value: Any) -> None:
        match value:
            case {"yaml": str(text)}:
                found.append(yaml.safe_load(text))
            case dict():
                list(map(walk, value.values()))
            case list():
                list(map(walk, value))

    for document in values("jenkins")["controller"]["JCasC"]["configScripts"].values():
        walk(yaml.safe_load(document))
    return found


def trusts(pod: dict[str, Any]) -> None:
    """Check that every container of a pod finds the list, and that it is written before they start."""
    spec = pod["spec"]
    first, *others = spec["initContainers"]
    assert first["command"] == ["sh", "-c", MAKE_BUNDLE]
    assert {"name": "authorities", "configMap": {"name": CONFIG_MAP}} in spec["volumes"]
    for each in [*others, *spec["containers"]]:
        assert all(variable in each["env"] for variable in TRUST), each["name"]
        assert "/etc/aihub-trust" in [mount["mountPath"] for mount in each["volumeMounts"]]


def test_each_namespace_of_ours_has_them() -> None:
    maps = [each.properties for each in of_kind(recorded(), "ConfigMap") if each.object_name == CONFIG_MAP]
    ours = {each.object_name for each in of_kind(recorded(), "Namespace")}
    assert {each["metadata"]["namespace"] for each in maps} == ours
    first, second = maps[0]["data"]["1.pem"], maps[0]["data"]["2.pem"]
    assert maps[0]["data"] == {"ca.crt": first + second, "1.pem": first, "2.pem": second}
    assert first + second == version_and_text()[1]


def version_and_text() -> tuple[str, str]:
    stack = parse({key.removeprefix("aihub:"): value for key, value in COMPANY.items()})
    return version_of(stack) or "", stack.network.authorities or ""


def test_without_the_field_there_is_nothing_of_it() -> None:
    smallest = config_file(CONFIGS / "valid" / "ci-with-gitlab.yaml")
    recording = record(deploy, stack="test", config=smallest, secrets=CANARIES)
    text = json.dumps([each.properties for each in recording.resources], default=str)
    assert not [word for word in (f'"{CONFIG_MAP}"', FOLDER, BUNDLE, VERSION) if word in text]


def test_every_pod_of_a_pipeline_trusts_them() -> None:
    pods = agents()
    assert len(pods) == 4  # builds, comments, looks for drift, tests
    for pod in pods:
        trusts(pod)


def test_a_build_without_jenkins_trusts_them() -> None:
    builder = builder_of(parse({key.removeprefix("aihub:"): value for key, value in COMPANY.items()}))
    assert builder
    source = Source(url="https://gitlab.example.com/a/b.git", revision="main", git_image="example.com/git:1")
    trusts(build_pod("build-1", builder, source, Build(context=".", repository="r/a", tags=("1",))))
    assert not builder.registry_plain_http


def test_jenkins_trusts_them_in_java_and_in_git() -> None:
    controller = values("jenkins")["controller"]
    assert controller["containerEnv"] == [{"name": "GIT_SSL_CAINFO", "value": "/var/trust/bundle.crt"}]
    assert "-Djavax.net.ssl.trustStore=/var/trust/cacerts" in controller["javaOpts"]
    assert controller["podAnnotations"][VERSION] == version_and_text()[0]
    volumes = {each["name"] for each in values("jenkins")["persistence"]["volumes"]}
    assert volumes == {"trust", "authorities"}


def test_jenkins_trusts_our_own_root_as_well() -> None:
    volumes = {each["name"] for each in values("jenkins", "ours")["persistence"]["volumes"]}
    assert volumes == {"trust", "authority", "authorities"}
    (init,) = values("jenkins", "ours")["controller"]["customInitContainers"]
    assert {each["mountPath"] for each in init["volumeMounts"]} == {"/var/trust", "/var/authority", FOLDER}


def test_argocd_trusts_them_at_the_issuer_and_at_git() -> None:
    argocd = values("argocd")
    assert argocd["server"]["env"] == [{"name": "SSL_CERT_FILE", "value": FILE}]
    assert argocd["repoServer"]["env"] == TRUST
    assert argocd["repoServer"]["initContainers"][0]["command"][-1] == MAKE_BUNDLE
    for part in ("server", "repoServer"):
        assert argocd[part]["podAnnotations"] == {VERSION: version_and_text()[0]}
    assert "tls" not in argocd["configs"]


def test_argocd_trusts_our_own_root_as_well() -> None:
    server = values("argocd", "ours")["server"]
    assert {each["name"] for each in server["env"]} == {"SSL_CERT_FILE", "SSL_CERT_DIR"}
    assert [each["name"] for each in server["volumes"]] == ["authorities", "ca"]


def test_image_updater_trusts_them_at_the_registry_and_at_git() -> None:
    updater = values("argocd-image-updater")
    (registry,) = updater["config"]["registries"]
    assert (registry["api_url"], registry["insecure"]) == ("https://registry.registry.svc:5000", False)
    assert updater["extraEnv"] == TRUST
    assert updater["podAnnotations"] == {VERSION: version_and_text()[0]}


def test_grafana_trusts_them_at_the_issuer() -> None:
    grafana = values("prometheus-stack")["grafana"]
    assert grafana["env"] == {"SSL_CERT_FILE": FILE}
    (mount,) = grafana["extraConfigmapMounts"]
    assert (mount["configMap"], mount["mountPath"]) == (CONFIG_MAP, FOLDER)
    assert "tls_client_ca" not in grafana["grafana.ini"]["auth.generic_oauth"]


def test_the_chat_trusts_them_at_the_issuer() -> None:
    (api,) = (each.properties for each in of_kind(recorded(), "Deployment") if each.object_name == "api")
    (volume,) = (each for each in pod_of(api)["volumes"] if each["name"] == "authorities")
    assert volume["configMap"] == {"name": CONFIG_MAP}
    assert api["spec"]["template"]["metadata"]["annotations"][VERSION] == version_and_text()[0]
    settings = [each.properties["data"] for each in of_kind(recorded(), "ConfigMap")]
    (mine,) = (each for each in settings if "CHATBOT_OIDC_ISSUER" in each)
    assert mine["CHATBOT_OIDC_CA_FILE"] == "/etc/chatbot/ca/ca.crt"


def test_the_issuer_of_our_own_trusts_them_where_it_finds_people() -> None:
    (dex,) = (each.properties for each in of_kind(recorded("ours"), "Deployment") if each.object_name == "dex")
    assert {"name": "SSL_CERT_FILE", "value": FILE} in pod_of(dex)["containers"][0]["env"]
    assert dex["spec"]["template"]["metadata"]["annotations"][VERSION] == version_and_text()[0]


def test_a_models_download_trusts_them_and_is_another_job_then() -> None:
    (job,) = of_kind(recorded(), "Job")
    assert pod_of(job.properties)["containers"][0]["env"] == [{"name": "SSL_CERT_FILE", "value": FILE}]
    without = {**COMPANY, "aihub:network": {"login": {"issuer": "https://login.example.com"}}}
    without["aihub:registry"] = {**COMPANY["aihub:registry"], "server": None, "host": "registry.example.com"}
    (before,) = of_kind(record(deploy, stack="test", config=without, secrets=CANARIES), "Job")
    assert before.object_name != job.object_name


def test_backups_trust_them_at_a_service_like_s3() -> None:
    config = config_file(CONFIGS / "valid" / "longhorn-with-backups.yaml")
    config["aihub:network"] = {"authorities": COMPANY["aihub:network"]["authorities"]}
    with patch("infra.storage.room.declare_secret") as declared:
        declared.return_value.secret = "longhorn-backup-account"
        record(deploy, stack="test", config=config, secrets=CANARIES)
    *_, files = declared.call_args.args
    assert files["AWS_CERT"] == version_and_text()[1]


# --- what the containers run, against a server whose certificate such an authority signed
@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.made_in(tmp_path_factory.mktemp("certificates"))


def test_git_clones_by_the_list(tmp_path: Path, certificates: Certificates) -> None:
    if not Path("/etc/ssl/certs/ca-certificates.crt").exists():
        pytest.skip("this machine knows no public authorities (Debian: apt-get install ca-certificates)")
    folder, bundle = tmp_path / "authorities", tmp_path / "bundle.crt"
    folder.mkdir()
    shutil.copy(certificates.authority, folder / "ca.crt")
    script = MAKE_BUNDLE.replace(BUNDLE, str(bundle)).replace(FILE, str(folder / "ca.crt"))
    subprocess.run(["sh", "-c", script], check=True)
    assert len(pem.certificates(certificates.authority.read_text())) == 1
    assert bundle.read_text().count("BEGIN CERTIFICATE") > 50

    site = tmp_path / "site"
    for command in (["init", "--quiet", "--bare", str(site)], ["-C", str(site), "update-server-info"]):
        subprocess.run(["git", *command], check=True)

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(site))

        def log_message(self, format: str, *args: Any) -> None:
            """Stay quiet."""

    with served(Handler, certificates) as port:
        command = ["git", "ls-remote", f"https://localhost:{port}/"]
        plain = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_TERMINAL_PROMPT": "0"}
        refused = subprocess.run(command, env=plain, capture_output=True, text=True, timeout=30, check=False)
        known = {**plain, "GIT_SSL_CAINFO": str(bundle)}
        asked = subprocess.run(command, env=known, capture_output=True, text=True, timeout=30, check=False)
    assert refused.returncode != 0
    assert "certificate" in refused.stderr
    assert asked.returncode == 0, asked.stderr


def test_java_knows_each_of_them(tmp_path: Path) -> None:
    keytool = shutil.which("keytool")
    if keytool is None:
        pytest.skip("no keytool on PATH (Debian: apt-get install default-jre-headless)")
    (init,) = values("jenkins")["controller"]["customInitContainers"]
    folder = tmp_path / "authorities"
    folder.mkdir()
    (maps, *_) = (
        each.properties["data"] for each in of_kind(recorded(), "ConfigMap") if each.object_name == CONFIG_MAP
    )
    for name, text in maps.items():
        (folder / name).write_text(text)
    script = init["command"][-1].replace("/var/trust", str(tmp_path)).replace(FOLDER, str(folder))
    home = Path(keytool).resolve().parents[1]
    done = subprocess.run(
        ["sh", "-c", script], env={"PATH": os.environ["PATH"], "JAVA_HOME": str(home)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    listed = subprocess.run(
        [keytool, "-list", "-keystore", str(tmp_path / "cacerts"), "-storepass", "changeit"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert sum(str(folder) in line for line in listed.splitlines()) == 2
    assert listed.count("trustedCertEntry") > 50
