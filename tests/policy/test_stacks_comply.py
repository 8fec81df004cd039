"""Every stack keeps every rule, whoever delivers its workload."""

from collections.abc import Callable

import pytest

from infra.config import parse
from infra.gitops import declare_workload
from infra.program import deploy
from infra.recorder import record
from infra.stackfile import configuration, placeholder_secrets, stack_names
from policy.declared import DECLARED_RULES, declared_by
from policy.pods import pod_spec
from policy.rules import OBJECT_RULES, default_deny


@pytest.mark.parametrize("stack", stack_names())
@pytest.mark.parametrize("program", [deploy, declare_workload], ids=["as-configured", "delivered-by-pulumi"])
def test_complies(stack: str, program: Callable[[], None]) -> None:
    recording = record(program, stack=stack, config=configuration(stack), secrets=placeholder_secrets())
    manifests = [each.properties for each in recording.objects()]
    mistakes = [mistake for manifest in manifests for rule in OBJECT_RULES for mistake in rule(manifest)]
    rooms = {key.removeprefix("aihub:"): value for key, value in configuration(stack).items()}
    declared = declared_by(parse(rooms))
    with_charts = [*manifests, *(each.properties for each in recording.resources if each.type.endswith(":Release"))]
    mistakes += [mistake for each in with_charts for rule in DECLARED_RULES for mistake in rule(each, declared)]
    assert [*mistakes, *default_deny(manifests)] == []
    assert sum(pod_spec(manifest) is not None for manifest in manifests) >= 2
