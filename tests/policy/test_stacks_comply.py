"""Every stack keeps every rule, whoever delivers its workload."""

from collections.abc import Callable

import pytest

from infra.gitops import declare_workload
from infra.program import deploy
from infra.stackfile import record_stack, stack_names, stack_of
from policy.declared import DECLARED_RULES, declared_by
from policy.pods import pod_spec
from policy.rules import OBJECT_RULES, default_deny


@pytest.mark.parametrize("stack", stack_names())
@pytest.mark.parametrize("program", [deploy, declare_workload], ids=["as-configured", "delivered-by-pulumi"])
def test_complies(stack: str, program: Callable[[], None]) -> None:
    recording = record_stack(program, stack)
    manifests = [each.properties for each in recording.objects()]
    mistakes = [mistake for manifest in manifests for rule in OBJECT_RULES for mistake in rule(manifest)]
    declared = declared_by(stack_of(stack))
    with_charts = [*manifests, *(each.properties for each in recording.resources if each.type.endswith(":Release"))]
    mistakes += [mistake for each in with_charts for rule in DECLARED_RULES for mistake in rule(each, declared)]
    assert [*mistakes, *default_deny(manifests)] == []
    assert sum(pod_spec(manifest) is not None for manifest in manifests) >= 2
