"""Before a copy: one that is there needs no vendor, one of another image is refused, a missing one needs its source."""

from typing import Any

import pytest

from infra.config import StackConfig, parse
from infra.registry.look import STEPS, Question, Seen
from ops.machine import Finding
from ops.preflight.images import FIXES, looks

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


def found(registries: Registries, whole: StackConfig | None = None) -> list[Finding]:
    return looks("no-such-stack", whole or stack(), registries)


def test_a_stack_without_a_vendor_is_asked_nothing() -> None:
    whole = stack()
    alone = whole.model_copy(update={"registry": whole.registry.model_copy(update={"vendor": None})})
    assert found(Registries({}), alone) == []


def test_nothing_is_asked_while_nothing_is_copied() -> None:
    registries = Registries({})
    (finding,) = found(registries, stack(mirror=False))
    assert (finding.ok, registries.asked) == (True, [])
    assert "make images STACK=no-such-stack" in finding.says


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
