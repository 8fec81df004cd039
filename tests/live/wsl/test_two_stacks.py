"""A second stack on the cluster of the first is refused before anything changes."""

import os

import pytest

from infra.program import plan
from infra.recorder import Recording
from ops import access
from ops.kubectl import Kubectl
from ops.preflight import owner
from ops.preflight.declared import Declared
from ops.preflight.reader import ThisMachine
from ops.preflight.run import of_stack
from tests.live.wsl.platform import Platform

pytestmark = pytest.mark.live


def test_another_stack_may_not_take_over_the_namespaces(platform: Platform) -> None:
    """``make up STACK=local`` would: its cluster is this one, and its namespaces have the same names."""
    refused = {each.name: each for each in of_stack("local", before_up=True) if not each.ok}
    assert {"namespace chat", "namespace data", "namespace registry"} <= set(refused)
    assert "belongs to stack wsl" in refused["namespace chat"].says


def test_the_stack_itself_may_go_on(platform: Platform) -> None:
    stack = platform.declared.stack
    here = Declared(name="wsl", stack=stack, recording=Recording(resources=[], outputs={}), plan=plan(stack))
    environment = {**os.environ, "KUBECONFIG": str(access.NODE_KUBECONFIG)}
    machine = ThisMachine(cluster=Kubectl(program=access.kubectl(), environment=environment))
    assert [finding.ok for finding in owner.looks(machine, here)] == [True]
    # Argo CD 2.14 forgets `retry.refresh`, which it does not know, with each sync that it begins: this puts it back.
    platform.declared.up(stack.chat.api.rollout)
    platform.declared.up(stack.chat.api.rollout, "--expect-no-changes")  # the mark is none that the engine sees
