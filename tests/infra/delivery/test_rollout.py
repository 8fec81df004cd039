"""A Rollout has the pods that a Deployment would have, and decides by asking them."""

from typing import Any

import pytest

from infra.chat.api import Api, ApiArgs
from infra.config import parse
from infra.delivery.applications import application_args
from infra.delivery.measure import limits_of
from infra.delivery.rollout import first_weight
from infra.delivery.wire import wire
from infra.gitops import declare_workload
from infra.recorder import Recording, record
from tests.infra.support import CANARIES, CONFIGS, config_file, of_kind, only

CONFIG = config_file(CONFIGS / "valid" / "delivery-of-our-own.yaml")


def api(rollout: Any, *, engine_has_model: bool = False) -> Recording:
    args = ApiArgs(
        namespace="chat",
        image="registry.local:5000/aihub/api:0.1.0@sha256:" + "0" * 64,
        secret="chat-secrets",
        secret_version="1",
        engine_url="http://engine.chat.svc:8000/v1",
        redis_host="redis",
        chroma_host="chroma",
        replicas=2,
        cpu_millicores=1000,
        memory_mib=768,
        engine_has_model=engine_has_model,
        rollout=rollout,
        analysis_secret="api-analysis",
    )
    return record(lambda: Api("api", args), stack="test")


@pytest.mark.parametrize("rollout", ["canary", "blueGreen"])
def test_the_pods_are_those_of_a_deployment(rollout: str) -> None:
    deployment, other = only(api("rolling"), "Deployment"), only(api(rollout), "Rollout")
    assert other["spec"]["template"] == deployment["spec"]["template"]
    assert other["spec"]["selector"] == deployment["spec"]["selector"]
    assert other["spec"]["replicas"] == deployment["spec"]["replicas"]
    assert not of_kind(api(rollout), "Deployment")


def test_peoples_own_words_are_no_field_names() -> None:
    given = {"host_ip": "::", "match_labels": {"host_ip": "a"}, "env_from": [{"config_map_ref": {"name": "b"}}]}
    assert wire(given) == {
        "hostIP": "::",
        "matchLabels": {"host_ip": "a"},
        "envFrom": [{"configMapRef": {"name": "b"}}],
    }


def test_a_canary_is_one_pod_more_and_is_asked_before_it_takes_over() -> None:
    recording = api("canary")
    canary = only(recording, "Rollout")["spec"]["strategy"]["canary"]
    assert (canary["maxSurge"], canary["maxUnavailable"]) == (1, 0)
    template = canary["steps"][1]["analysis"]["templates"][0]["templateName"]
    assert template == only(recording, "AnalysisTemplate")["metadata"]["name"]
    assert canary["canaryService"] in {each.object_name for each in of_kind(recording, "Service")}


@pytest.mark.parametrize("replicas", range(1, 51))
def test_the_first_weight_takes_no_old_pod_away(replicas: int) -> None:
    """The controller picks the numbers of pods whose share is nearest to the weight; one pod more is allowed."""
    weight = first_weight(replicas)
    counts = [(new, total - new) for total in (replicas, replicas + 1) for new in range(1, total)] or [(1, replicas)]
    assert min(counts, key=lambda pair: abs(100 * pair[0] / sum(pair) - weight)) == (1, replicas)


def test_blue_green_turns_the_services_that_exist() -> None:
    recording = api("blueGreen")
    strategy = only(recording, "Rollout")["spec"]["strategy"]["blueGreen"]
    services = {each.object_name for each in of_kind(recording, "Service")}
    assert {strategy["activeService"], strategy["previewService"]} == services


@pytest.mark.parametrize(
    ("rollout", "names"),
    [("rolling", []), ("canary", ["api-trial"]), ("blueGreen", ["api", "api-trial"])],
)
def test_argocd_leaves_turned_services_alone(rollout: str, names: list[str]) -> None:
    rooms = {key.removeprefix("aihub:"): value for key, value in CONFIG.items()}
    rooms["chat"] = {**rooms["chat"], "api": {"rollout": rollout}}
    rooms["delivery"] = {key: value for key, value in rooms["delivery"].items() if key != "rollback"}
    ignored = application_args(parse(rooms), "backend-chat", "wsl").ignored
    assert [each["name"] for each in ignored] == names
    assert all(each["jsonPointers"] == ["/spec/selector"] for each in ignored)


def test_the_analysis_gives_every_setting_that_its_script_reads(tmp_path: Any) -> None:
    recording = record(declare_workload, stack="test", config=CONFIG, secrets=CANARIES)
    metric = only(recording, "AnalysisTemplate")["spec"]["metrics"][0]
    assert (metric["count"], metric["failureLimit"]) == (1, 0)
    job = metric["provider"]["job"]["spec"]
    assert job["backoffLimit"] == 0
    (container,) = job["template"]["spec"]["containers"]
    (tmp_path / "key").write_text("key\n")
    settings = {each["name"]: each["value"] for each in container["env"]}
    limits = limits_of({**settings, "MEASURE_KEY_FILE": str(tmp_path / "key")})
    assert (limits.url, limits.requests, limits.error_percent) == ("http://api-trial:8000", 20, 5)
    script = container["command"][1].rpartition("/")[2]
    maps = {each.object_name: each.properties["data"] for each in of_kind(recording, "ConfigMap")}
    mounted = next(each for each in job["template"]["spec"]["volumes"] if each["name"] == "script")
    assert script in maps[mounted["configMap"]["name"]]
    longest = limits.start_seconds + limits.timeout_seconds * limits.requests / limits.at_once
    assert job["activeDeadlineSeconds"] >= longest + limits.warm_up_seconds


@pytest.mark.parametrize("rollout", ["canary", "blueGreen"])
def test_the_analysis_outlasts_an_engine_that_loads_its_model(rollout: str) -> None:
    """Whose new version comes with the same commit; the controller looks at the time during blue-green's analysis."""
    recording = api(rollout, engine_has_model=True)
    settings: dict[str, Any] = {}
    for each in of_kind(recording, "ConfigMap"):
        settings |= each.properties["data"]
    held = int(settings["CHATBOT_ENGINE_HOLD_SECONDS"])
    job = only(recording, "AnalysisTemplate")["spec"]["metrics"][0]["provider"]["job"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    asked = {each["name"]: each["value"] for each in container["env"]}
    assert float(asked["MEASURE_WARM_UP_SECONDS"]) >= held + 60
    assert job["activeDeadlineSeconds"] > held + 60
    if rollout == "blueGreen":
        assert only(recording, "Rollout")["spec"]["progressDeadlineSeconds"] > job["activeDeadlineSeconds"]
