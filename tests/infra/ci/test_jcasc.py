"""Jenkins' configuration as code: readable, complete, and without a secret."""

import re
from typing import Any

import pytest
import yaml

from infra.ci.jcasc import PROVIDED, as_text, secret_names
from infra.ci.pipelines import BUILDER_LABEL, COMMENT_LABEL, PIPELINES, TEST_LABEL
from infra.ci.plugins import plugins
from infra.config.ci import JenkinsConfig
from infra.stackfile import CHECKOUT
from policy.rules import restricted_pods
from tests.infra.ci.support import files_of_secrets, recorded, stack_of
from tests.infra.support import of_kind

NAMES = ["gitea", "gitlab"]


def values(name: str) -> dict[str, Any]:
    (release,) = (each for each in recorded(name).resources if each.name == "jenkins-release")
    return dict(release.properties["values"])


def scripts(name: str) -> dict[str, str]:
    return dict(values(name)["controller"]["JCasC"]["configScripts"])


def parsed(name: str, script: str) -> dict[str, Any]:
    return dict(yaml.safe_load(scripts(name)[script]))


def templates(name: str) -> dict[str, dict[str, Any]]:
    """Return label -> pod, as Jenkins reads it: escapes taken away."""
    clouds = [each["kubernetes"] for each in parsed(name, "clouds")["jenkins"]["clouds"]]
    return {
        template["label"]: yaml.safe_load(template["yaml"].replace("^${", "${"))
        for cloud in clouds
        for template in cloud["templates"]
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_secret_that_a_script_names_is_mounted(name: str) -> None:
    secrets, controller = files_of_secrets(name), values(name)["controller"]
    mounted = set(secrets[controller["existingSecret"]])
    mounted |= {f"{each['name']}-{each['keyName']}" for each in controller["additionalExistingSecrets"]}
    assert secret_names(scripts(name)) <= mounted | PROVIDED
    for each in controller["additionalExistingSecrets"]:
        assert each["keyName"] in secrets[each["name"]]
    admin = controller["admin"]
    assert {admin["userKey"], admin["passwordKey"]} == set(secrets[admin["existingSecret"]])
    assert admin["createSecret"] is True


def test_an_unescaped_variable_is_found() -> None:
    assert secret_names({"x": "a: ${one}\nb: ^${two}\n"}) == {"one"}


def test_only_named_secrets_survive_the_escape() -> None:
    text = as_text({"script": "echo ${HOME} $(pwd)\n", "password": "%(webhook-secret)"})
    assert "^${HOME}" in text
    assert "'${webhook-secret}'" in text
    with pytest.raises(ValueError, match="Helm"):
        as_text({"x": "{{ .Values }}"})


@pytest.mark.parametrize("name", NAMES)
def test_two_scripts_never_define_one_key(name: str) -> None:
    # Jenkins refuses to start when they do.
    seen: list[str] = []
    for script in scripts(name):
        for root, content in parsed(name, script).items():
            seen += [f"{root}.{key}" for key in content] if isinstance(content, dict) else [root]
    assert len(seen) == len(set(seen))


def test_plugins_are_pinned_once_and_fit_the_git_server() -> None:
    for name, wanted, unwanted in (
        ("gitea", "generic-webhook-trigger", "gitlab-plugin"),
        ("gitlab", "gitlab-plugin", "generic-webhook-trigger"),
    ):
        pins = plugins(stack_of(name), login=True)
        names = [pin.partition(":")[0] for pin in pins]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[a-z0-9-]+:[0-9][\w.-]*", pin) for pin in pins)
        assert wanted in names
        assert unwanted not in names
        assert {"kubernetes", "git", "job-dsl", "oic-auth", "configuration-as-code"} <= set(names)
    controller = values("gitea")["controller"]
    assert controller["installLatestPlugins"] is False
    assert controller["installPlugins"] == plugins(stack_of("gitea"), login=False)


def test_a_wrong_signature_is_refused_before_any_job_is_looked_for() -> None:
    allowed = parsed("gitea", "system")["unclassified"]["whitelist"]
    assert allowed["enabled"] is True
    (rule,) = allowed["whitelistItems"]
    assert rule["hmacEnabled"] is True
    assert (rule["hmacHeader"], rule["hmacAlgorithm"]) == ("X-Gitea-Signature", "HmacSHA256")
    (credential,) = parsed("gitea", "credentials")["credentials"]["system"]["domainCredentials"][0]["credentials"]
    assert credential["string"] == {"scope": "SYSTEM", "id": rule["hmacCredentialId"], "secret": "${webhook-secret}"}


def test_every_gitlab_trigger_has_the_secret() -> None:
    assert parsed("gitlab", "system")["unclassified"]["gitLabConnectionConfig"]["useAuthenticatedEndpoint"] is True
    jobs = [each["script"] for each in parsed("gitlab", "pipelines")["jobs"]]
    triggered = [job for job in jobs if "gitlab {" in job]
    assert len(triggered) == 3
    assert all("secretToken('${webhook-secret}')" in job for job in triggered)


@pytest.mark.parametrize("name", NAMES)
def test_each_job_comes_with_its_trigger_and_its_file(name: str) -> None:
    jobs = {
        match[1]: each["script"]
        for each in parsed(name, "pipelines")["jobs"]
        if (match := re.match(r"pipelineJob\('([^']+)'\)", each["script"]))
    }
    assert set(jobs) == {pipeline.path for pipeline in PIPELINES}
    for pipeline in PIPELINES:
        job = jobs[pipeline.path]
        assert ("pipelineTriggers" in job) == (pipeline.starts_on != "call")
        assert f"scriptPath('{pipeline.script}')" in job
        assert (CHECKOUT / pipeline.script).is_file()
        assert "@" not in job
        # Quotes come in pairs on each line: a text with one of its own would end the string.
        assert all(line.count("'") % 2 == 0 for line in job.splitlines())


@pytest.mark.parametrize("name", NAMES)
def test_what_nobody_approved_has_no_way_to_a_secret(name: str) -> None:
    recording = recorded(name)
    assert [each.name for each in of_kind(recording, "Secret") if each.namespace == "reviews"] == []
    clouds = {each["kubernetes"]["name"]: each["kubernetes"] for each in parsed(name, "clouds")["jenkins"]["clouds"]}
    assert {cloud: each["namespace"] for cloud, each in clouds.items()} == {"builds": "builds", "reviews": "reviews"}
    assert all(each["usageRestricted"] is True for each in clouds.values())
    jobs = [each["script"] for each in parsed(name, "pipelines")["jobs"]]
    (reviews,) = (job for job in jobs if job.startswith("folder('reviews')"))
    assert "permittedClouds(['reviews'])" in reviews
    pod = templates(name)[TEST_LABEL]
    assert "secret" not in str(pod["spec"].get("volumes", ""))
    assert pod["spec"]["automountServiceAccountToken"] is False
    # Of the credentials that a pipeline can ask for there is at most the one that reads the project.
    credentials = parsed(name, "credentials")["credentials"]["system"]["domainCredentials"][0]["credentials"]
    bound = [each for kind in credentials for each in kind.values() if each["scope"] != "SYSTEM"]
    assert [each["id"] for each in bound] == ([] if name == "gitea" else ["git"])


@pytest.mark.parametrize("name", NAMES)
def test_pods_of_tests_are_restricted(name: str) -> None:
    for label in (TEST_LABEL, COMMENT_LABEL):
        mistakes = [mistake.rpartition(": ")[2] for mistake in restricted_pods(templates(name)[label])]
        # Jenkins' agent and pip write into their own containers.
        assert set(mistakes) <= {"true and mount an emptyDir where it writes"}, mistakes


def test_tests_run_where_git_is() -> None:
    """The slim variant of Python's image has none, and tests of ours call it."""
    tests = next(each for each in templates("gitlab")[TEST_LABEL]["spec"]["containers"] if each["name"] == "tests")
    assert tests["image"] == JenkinsConfig(host="jenkins.example.com").test_image
    assert "slim" not in tests["image"]


def test_images_are_signed_only_with_a_key() -> None:
    signed, unsigned = templates("gitlab")[BUILDER_LABEL], templates("gitea")[BUILDER_LABEL]
    assert [each["name"] for each in signed["spec"]["containers"]] == ["jnlp", "builder", "scanner", "tagger", "signer"]
    assert [each["name"] for each in unsigned["spec"]["containers"]] == ["jnlp", "builder", "scanner", "tagger"]
    mounted = {volume["name"] for volume in signed["spec"]["volumes"]}
    assert {mount["name"] for each in signed["spec"]["containers"] for mount in each.get("volumeMounts", ())} <= mounted


@pytest.mark.parametrize("name", NAMES)
def test_secrets_that_pods_mount_are_declared_where_they_run(name: str) -> None:
    declared = {each.object_name for each in of_kind(recorded(name), "Secret") if each.namespace == "builds"}
    for label in (BUILDER_LABEL, COMMENT_LABEL):
        for volume in templates(name)[label]["spec"].get("volumes", ()):
            if "secret" in volume and not volume["secret"].get("optional"):
                assert volume["secret"]["secretName"] in declared
