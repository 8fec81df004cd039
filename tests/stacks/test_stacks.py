"""Each stack as it is configured in this checkout: everything it declares, as one snapshot to be read in a diff."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from infra.config import ROOMS, SECRET_KEYS
from infra.config.stack import StackConfig
from infra.gitops import declare_workload
from infra.program import deploy
from infra.recorder import Recording
from infra.stackfile import CHECKOUT, configuration, record_stack, stack_names

STACKS = stack_names()


class YamlSnapshot(SingleFileSnapshotExtension):
    """One readable file per snapshot."""

    file_extension = "yaml"
    _write_mode = WriteMode.TEXT


def text_of(recording: Recording) -> str:
    resources = [
        {"component": f"{each.type} {each.name}"}
        if not each.custom
        else {"resource": f"{each.type} {each.name}", "retained": each.retained, **each.properties}
        for each in recording.resources
    ]
    return yaml.safe_dump_all(resources, sort_keys=False, width=120)


@pytest.mark.parametrize("stack", STACKS)
def test_snapshot(stack: str, snapshot: SnapshotAssertion) -> None:
    recording = record_stack(deploy, stack)
    assert text_of(recording) == snapshot(extension_class=YamlSnapshot)


@pytest.mark.parametrize("stack", [stack for stack in STACKS if configuration(stack)["aihub:chat"].get("delivery")])
def test_delivered_workload_snapshot(stack: str, snapshot: SnapshotAssertion) -> None:
    recording = record_stack(declare_workload, stack)
    chat = [each for each in recording.resources if recording.room_of(each) == "chat"]
    assert text_of(Recording(resources=chat, outputs={})) == snapshot(extension_class=YamlSnapshot)


@pytest.mark.parametrize("stack", STACKS)
def test_snapshots_hold_no_secret(stack: str) -> None:
    recording = record_stack(deploy, stack)
    assert "placeholder-" not in text_of(recording)


@pytest.mark.parametrize("stack", STACKS)
def test_stack_file_names_rooms_that_exist_and_holds_no_secret(stack: str) -> None:
    keys = {
        key.removeprefix("aihub:") for key in yaml.safe_load((CHECKOUT / f"Pulumi.{stack}.yaml").read_text())["config"]
    }
    assert keys <= set(ROOMS)
    assert not keys & set(SECRET_KEYS)


def test_project_file_declares_exactly_the_rooms() -> None:
    declared = yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())["config"]
    assert {key.removeprefix("aihub:") for key in declared} == set(ROOMS)
    required = {name for name, field in StackConfig.model_fields.items() if field.is_required()}
    assert {key.removeprefix("aihub:") for key, value in declared.items() if "default" not in value} == required


def test_node_ports_and_hosts_are_what_the_installations_ask_for() -> None:
    def exposure(stack: str) -> Any:
        return configuration(stack)["aihub:chat"]["exposure"]

    assert exposure("local") == {"nodePort": 31302}
    assert set(exposure("wsl")) == set(exposure("dev")) == {"host"}


def test_program_file_only_deploys() -> None:
    code = [line for line in Path(CHECKOUT / "__main__.py").read_text().splitlines() if line]
    assert code[-2:] == ["from infra.program import deploy", "deploy()"]
