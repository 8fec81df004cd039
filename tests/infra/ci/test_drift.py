"""The job that looks for drift may read what every stack declares, and no Secret; it starts every morning."""

import re

import pytest

from infra.ci.agents import DRIFT
from infra.ci.drift import RULES
from infra.ci.pipelines import BUILDER_LABEL, COMMENT_LABEL, DRIFT_LABEL, TEST_LABEL
from infra.gitops import declare_workload
from infra.program import deploy
from infra.recorder import Recorded, record
from infra.stackfile import record_stack, stack_names
from policy.rules import restricted_pods
from tests.infra.ci.support import recorded
from tests.infra.ci.test_jcasc import parsed, templates
from tests.infra.support import CANARIES, CONFIGS, config_file, of_kind


def readable(resource: Recorded) -> bool:
    group = resource.properties["apiVersion"].rpartition("/")[0]
    kind = resource.kind.lower()
    plurals = {f"{kind}s", f"{kind}es", f"{kind[:-1]}ies"}
    rules = [rule for rule in RULES if group in list(rule["api_groups"])]  # type: ignore[arg-type]  # plain lists
    return any("*" in rule["resources"] or plurals & set(rule["resources"]) for rule in rules)  # type: ignore[operator,arg-type]


@pytest.mark.parametrize("stack", stack_names())
def test_everything_that_a_stack_declares_may_be_read_but_its_secrets(stack: str) -> None:
    recording = record_stack(declare_workload, stack)
    known = [each for each in recording.objects() if not each.type.startswith("kubernetes:helm.sh")]
    groups = {each.properties["apiVersion"].rpartition("/")[0] for each in known}
    assert groups
    closed = {f"{each.properties['apiVersion']} {each.kind}" for each in known if not readable(each)}
    assert closed <= {"v1 Secret"}


def test_the_account_reads_and_does_nothing_else() -> None:
    recording = recorded("gitea")
    (role,) = of_kind(recording, "ClusterRole")
    assert {verb for rule in role.properties["rules"] for verb in rule["verbs"]} == {"get"}
    assert not any("secrets" in rule["resources"] for rule in role.properties["rules"])
    assert all("*" not in rule["resources"] for rule in role.properties["rules"] if "" in rule["apiGroups"])
    (binding,) = of_kind(recording, "ClusterRoleBinding")
    (subject,) = binding.properties["subjects"]
    assert (subject["namespace"], subject["name"]) == ("builds", DRIFT)


def test_a_ci_elsewhere_gets_the_account_and_no_pod_of_ours() -> None:
    config = {**config_file(CONFIGS / "valid" / "smallest.yaml"), "aihub:ci": {"drift": {"namespace": "looks"}}}
    recording = record(deploy, stack="test", config=config, secrets=CANARIES)
    kinds = {each.kind for each in recording.objects() if each.namespace == "looks"}
    assert kinds == {"NetworkPolicy", "ServiceAccount"}
    (binding,) = of_kind(recording, "ClusterRoleBinding")
    (subject,) = binding.properties["subjects"]
    assert (subject["namespace"], subject["name"]) == ("looks", DRIFT)


def test_no_other_pod_has_a_token() -> None:
    pods = templates("gitea")
    assert pods[DRIFT_LABEL]["spec"]["serviceAccountName"] == DRIFT
    with_token = {label for label, pod in pods.items() if pod["spec"]["automountServiceAccountToken"] is not False}
    assert with_token == {DRIFT_LABEL}
    assert {BUILDER_LABEL, COMMENT_LABEL, TEST_LABEL} <= set(pods)
    assert "volumes" not in pods[DRIFT_LABEL]["spec"]
    mistakes = [mistake.rpartition(": ")[2] for mistake in restricted_pods(pods[DRIFT_LABEL])]
    # It makes its Python environment in its own container; and it is the one that asks the API server.
    assert all("emptyDir" in mistake or "automountServiceAccountToken" in mistake for mistake in mistakes), mistakes


@pytest.mark.parametrize("name", ["gitea", "gitlab"])
def test_it_starts_every_morning_and_no_webhook_calls_it(name: str) -> None:
    (job,) = [each["script"] for each in parsed(name, "pipelines")["jobs"] if "('aihub/drift')" in each["script"]]
    assert re.search(r"cron \{\s+spec\('H 6 \* \* \*'\)", job)
    assert "genericTrigger" not in job
    assert "gitlab {" not in job
