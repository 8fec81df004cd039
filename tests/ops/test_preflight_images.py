"""Before a copy: one that is there needs no vendor, one of another image is refused, a missing one needs its source."""

from typing import Any

import pytest

from infra.config import StackConfig, parse
from infra.config.aipp import AippConfig
from infra.config.harbor import HarborConfig
from infra.registry.look import STEPS, Question, Seen
from ops.machine import Finding
from ops.preflight.images import DECLARED, FIXES, NAMED, looks

ONE, OTHER, WRAPPER = (f"sha256:{digit * 64}" for digit in "123")


def stack(mirror: bool = True, **vendor: Any) -> StackConfig:
    images = [
        {"source": f"enai/prod/{name}:latest@{ONE}", "target": f"aipp/{name}:v1.0.0"}
        for name in ("backend", "scheduler")
    ]
    return parse(
        {
            "storage": {"class": "longhorn"},
            "chat": {"exposure": {"host": "chat.example.com"}},
            "registry": {
                "host": "harbor.example.com",
                "baseImage": "harbor.example.com/proxy/python:3.11.14",
                "vendor": {"host": "vendor.example.com:10003", "mirror": mirror, "images": images, **vendor},
            },
        }
    )


class Registries:
    """What two registries answer; remembers what the vendor's was asked for."""

    def __init__(self, copies: dict[str, list[str]], step: str = "") -> None:
        self.copies, self.step = copies, step
        self.asked: list[str] = []

    def __call__(self, question: Question, password: str) -> Seen:
        if question["registry"] == "harbor.example.com":
            return {"step": "image", "says": "", "digests": self.copies}
        self.asked = question["images"]
        return {"step": self.step, "says": f"{self.step} says why", "digests": {}}


def found(registries: Registries, whole: StackConfig | None = None, before_up: bool = False) -> list[Finding]:
    return looks("no-such-stack", whole or stack(), before_up, registries)


def with_services(whole: StackConfig, delivery: str = "argocd", **backend: str) -> StackConfig:
    services = {
        field: {"image": f"harbor.example.com/aipp/{name}:v1.0.0"}
        for field, name in (
            ("front", "front-next"),
            ("backend", "backend"),
            ("dataProcessor", "catalog-collector"),
            ("scheduler", "scheduler"),
        )
    }
    stores = {
        "pgvector": {"image": "harbor.example.com/proxy/pgvector/pgvector:0.8.1-pg17"},
        "redis": {"image": "harbor.example.com/proxy/library/redis:7.4.2"},
        "rabbitmq": {"image": "harbor.example.com/proxy/library/rabbitmq:3.13.7-management"},
    }
    linker = {"image": "harbor.example.com/aipp/linker:v1.0.0", "gpuCount": 0}
    aipp = {"host": "aipp.example.com", "delivery": delivery, **stores, **services, "linker": linker}
    aipp |= {"backend": {**services["backend"], **backend}}
    return whole.model_copy(update={"aipp": AippConfig.model_validate(aipp)})


def test_a_stack_without_a_vendor_is_asked_nothing() -> None:
    whole = stack()
    alone = whole.model_copy(update={"registry": whole.registry.model_copy(update={"vendor": None})})
    assert found(Registries({}), alone) == []


def test_the_vendor_is_not_asked_while_nothing_is_copied() -> None:
    registries = Registries({})
    assert found(registries, stack(mirror=False)) == []
    (finding,) = found(registries, with_services(stack(mirror=False)))
    assert (finding.name, finding.ok, registries.asked) == (DECLARED, False, [])


SERVICES = [f"aipp/{name}:v1.0.0" for name in ("front-next", "backend", "catalog-collector", "scheduler")]
"""Without the linker, which is left out, and the stores, which a cache fetches when they are asked for."""


def test_what_pods_will_run_is_looked_for_where_nobody_copies_it() -> None:
    whole = with_services(stack(mirror=False))
    (finding,) = found(Registries({image: [ONE] for image in SERVICES}), whole)
    assert (finding.ok, finding.says) == (True, "all 4 are at harbor.example.com")
    (finding,) = found(Registries({image: [ONE] for image in SERVICES[:-1]}), whole)
    assert not finding.ok
    assert "does not give aipp/scheduler:v1.0.0" in finding.says
    assert "make images STACK=no-such-stack" in finding.fix


def test_what_is_copied_by_this_very_up_is_not_missed() -> None:
    registries = Registries({image: [ONE] for image in ("aipp/front-next:v1.0.0", "aipp/catalog-collector:v1.0.0")})
    copied, declared = found(registries, with_services(stack()))
    assert (copied.name, copied.ok) == (NAMED, True)
    assert (declared.name, declared.ok) == (DECLARED, True)


@pytest.mark.parametrize(("delivery", "goes_on"), [("argocd", True), ("pulumi", False)])
def test_only_an_up_that_waits_for_the_pods_is_refused(delivery: str, goes_on: bool) -> None:
    (finding,) = found(Registries({}), with_services(stack(mirror=False), delivery), before_up=True)
    assert finding.ok is goes_on
    assert "does not give" in finding.says


def test_an_image_by_digest_is_asked_by_it_alone() -> None:
    copies = {image: [ONE] for image in SERVICES if "backend" not in image} | {f"aipp/backend@{ONE}": [ONE]}
    image = f"harbor.example.com/aipp/backend:v1.0.0@{ONE}"
    (finding,) = found(Registries(copies), with_services(stack(mirror=False), image=image))
    assert finding.ok


def test_without_a_password_it_is_said_that_nobody_looked() -> None:
    whole = with_services(stack(mirror=False))
    harbor = HarborConfig.model_validate({"projects": {"aihub": {"quotaGib": 1}, "aipp": {"quotaGib": 1}}})
    whole = whole.model_copy(update={"registry": whole.registry.model_copy(update={"harbor": harbor})})
    (finding,) = found(Registries({}), whole)
    assert (finding.ok, finding.says.partition(":")[0]) == (True, "not looked for")


def test_only_what_is_missing_must_be_had_and_by_its_digest() -> None:
    registries = Registries({"aipp/backend:v1.0.0": [ONE]})
    (finding,) = found(registries)
    assert finding.ok
    assert registries.asked == [f"enai/prod/scheduler@{ONE}"]


def test_a_vendor_that_is_away_stops_nothing_once_all_is_copied() -> None:
    copies = {"aipp/backend:v1.0.0": [ONE], "aipp/scheduler:v1.0.0": [WRAPPER, ONE]}
    registries = Registries(copies, step="route")
    (finding,) = found(registries)
    assert (finding.ok, registries.asked) == (True, [])


@pytest.mark.parametrize("step", STEPS)
def test_each_step_that_fails_stops_with_its_own_fix(step: str) -> None:
    (finding,) = found(Registries({}, step=step))
    assert (finding.ok, finding.says, finding.fix) == (False, f"{step}: {step} says why", FIXES[step])


def test_a_version_that_is_another_image_is_refused_by_name() -> None:
    copies = {"aipp/backend:v1.0.0": [WRAPPER, OTHER], "aipp/scheduler:v1.0.0": [ONE]}
    refused, others = found(Registries(copies))
    assert (refused.name, refused.ok) == ("aipp/backend:v1.0.0", False)
    assert refused.says == f"is there already and another image ({WRAPPER}) than enai/prod/backend:latest@{ONE}"
    assert "give the target a new version" in refused.fix
    assert others.ok
