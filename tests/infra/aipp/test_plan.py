"""Who calls whom is stated once: waiting, policies, secrets and addresses agree with it."""

import re

import pytest

from infra.aipp.names import FIELDS, STORES
from infra.aipp.picture import block
from infra.aipp.plan import CALLS, WAVES, Call, calls, in_order, plan, services
from infra.config import parse
from infra.plan import INGRESS, World
from infra.recorder import Recording
from infra.stackfile import CHECKOUT
from tests.infra.aipp.support import configured, declared, environment, of_package, spec_of
from tests.infra.support import CONFIGS, config_file


@pytest.fixture(scope="module")
def recording() -> Recording:
    return declared()


def test_waves_are_the_installations() -> None:
    assert [sorted(each for each in WAVES if WAVES[each] == wave) for wave in (1, 2, 3, 4)] == [
        ["pgvector", "rabbitmq", "redis"],
        ["enai-backend"],
        ["enai-data-processor", "enai-linker", "enai-scheduler"],
        ["enai-front"],
    ]


def test_nobody_may_wait_for_what_comes_later_or_at_the_same_time() -> None:
    for target in ("enai-front", "enai-scheduler"):
        late = Call(source="enai-linker", target=target, reason="a mistake")
        with pytest.raises(ValueError, match=rf"enai-linker \(wave 3\) waits for {target} \(wave [34]\)"):
            in_order([late], WAVES)
    in_order([Call(source="enai-backend", target="enai-front", reason="asks", waits=False)], WAVES)


@pytest.mark.parametrize("service", FIELDS)
def test_a_pod_waits_for_exactly_those_whom_it_must(recording: Recording, service: str) -> None:
    named = [each["name"] for each in spec_of(recording, service).get("initContainers", [])]
    must = [f"wait-for-{each.target.removeprefix('enai-')}" for each in CALLS if each.source == service and each.waits]
    assert named == must + (["release-lock", "watch-lock"] if service == "enai-backend" else [])


@pytest.mark.parametrize("service", FIELDS)
def test_a_service_is_told_of_the_stores_that_it_may_call_and_of_no_other(recording: Recording, service: str) -> None:
    called = {each.target for each in calls(configured(), service)} & {*STORES}
    told = {store for store in STORES if f"{store}.aipp.svc" in str(environment(recording, service))}
    assert told == called
    spec = spec_of(recording, service)
    files = {volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}
    assert files == ({f"{service}-secrets"} if called else set())
    keys = {
        entry["secretKey"]
        for each in of_package(recording)
        if each.kind == "ExternalSecret" and each.object_name in files
        for entry in each.properties["spec"]["data"]
    }
    of = {"pgvector": "aippDatabasePassword", "redis": "aippRedisPassword", "rabbitmq": "aippQueuePassword"}
    assert keys - {"jwtSecret"} == {of[store] for store in called}


def test_pulumi_makes_nothing_before_what_it_waits_for(recording: Recording) -> None:
    by_urn = {each.urn: each for each in recording.resources}

    def before(urn: str, seen: set[str]) -> set[str]:
        for needed in {*by_urn[urn].depends_on} - seen:
            seen.add(needed)
            before(needed, seen)
        return seen

    urns = {(each.kind, each.object_name): each.urn for each in of_package(recording)}
    for call in CALLS:
        if call.waits:
            assert urns["Service", call.target] in before(urns["Deployment", call.source], set()), call


def test_flows_are_the_calls_and_the_ways_in() -> None:
    config = config_file(CONFIGS / "valid" / "aipp-from-vault.yaml")
    whole = plan(parse(config))
    between = {(flow.source, flow.target) for flow in whole.flows} - {
        (INGRESS, "enai-front"),
        (INGRESS, "enai-backend"),
        (INGRESS, "aipp-rabbitmq"),
        ("enai-data-processor", World.ANYWHERE),
    }
    key = {store: f"aipp-{store}" for store in STORES}
    assert between == {(key.get(each.source, each.source), key.get(each.target, each.target)) for each in CALLS}


def test_policies_follow(recording: Recording) -> None:
    policies = {
        each.object_name: each.properties["spec"] for each in of_package(recording) if each.kind == "NetworkPolicy"
    }
    assert set(policies) == {"default-deny", *(f"aipp-{store}" for store in STORES), *FIELDS}
    ports = {rule["ports"][0]["port"] for rule in policies["enai-linker"]["egress"]} - {53}
    assert ports == {5432, 5672}
    assert len(policies["aipp-redis"]["ingress"]) == 3


def test_without_a_gpu_nobody_calls_the_linker() -> None:
    config = configured("aipp-without-a-gpu")
    assert "enai-linker" not in services(config)
    assert [each.target for each in calls(config, "enai-backend")] == ["pgvector", "redis", "rabbitmq"]


def test_the_page_shows_what_is_stated_here() -> None:
    page = (CHECKOUT / "docs/aipp.md").read_text()
    assert block() in page, "put between its two marks what `python -m infra.aipp.picture` prints"


def test_the_picture_has_an_arrow_for_each_call() -> None:
    drawn = re.findall(r"^  (\w+) (-->|-\.->) (\w+)$", block(), flags=re.MULTILINE)
    named = [(source.replace("_", "-"), arrow, target.replace("_", "-")) for source, arrow, target in drawn]
    assert named == [(each.source, "-->" if each.waits else "-.->", each.target) for each in CALLS]
