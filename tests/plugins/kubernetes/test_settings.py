"""The provider's inputs and the kubeconfig, in all the forms in which they come."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.kubernetes.settings import Settings, active_context, load_kubeconfig, settings_from
from plugins.protocol.provider import ProviderError


def _kubeconfig(name: str, **cluster: str) -> dict[str, Any]:
    return {
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}", **cluster}}],
        "users": [{"name": name, "user": {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"in-{name}"}}],
        "current-context": name,
    }


def test_switches_come_as_text_or_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_from({"upsertExistingObjects": "true"}).upsert_existing_objects
    assert not settings_from({"upsertExistingObjects": "false"}).upsert_existing_objects
    monkeypatch.setenv("PULUMI_K8S_UPSERT_EXISTING_OBJECTS", "true")
    assert settings_from({}).upsert_existing_objects
    assert not settings_from({"upsertExistingObjects": "false"}).upsert_existing_objects


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"renderYamlToDirectory": "out"}, "renderYamlToDirectory is not part of this stand-in"),
        ({"enableServerSideApply": "false"}, "applies nothing else"),
    ],
)
def test_what_would_silently_be_left_out_is_refused(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ProviderError, match=message):
        settings_from(inputs)


def test_a_kubeconfig_can_be_given_as_text() -> None:
    settings = Settings(kubeconfig=yaml.safe_dump(_kubeconfig("one")))
    assert active_context(load_kubeconfig(settings), "")[0] == "one"


def test_files_are_merged_as_kubectl_does_and_the_first_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(yaml.safe_dump(_kubeconfig("one")))
    second.write_text(yaml.safe_dump({**_kubeconfig("two"), "users": [{"name": "one", "user": {"token": "x"}}]}))
    monkeypatch.setenv("KUBECONFIG", f"{first}:{second}:{tmp_path / 'absent'}")
    merged = load_kubeconfig(Settings())
    assert merged["current-context"] == "one"
    assert {each["name"] for each in merged["contexts"]} == {"one", "two"}
    assert merged["users"] == [{"name": "one", "user": {}}]
    assert active_context(merged, "two")[1]["namespace"] == "in-two"


def test_files_beside_a_kubeconfig_are_found_from_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(_kubeconfig("one", **{"certificate-authority": "ca.crt"})))
    cluster = load_kubeconfig(Settings(kubeconfig=str(path)))["clusters"][0]["cluster"]
    assert cluster["certificate-authority"] == str(tmp_path / "ca.crt")


def test_a_context_that_is_not_there_is_named_beside_those_that_are() -> None:
    with pytest.raises(ProviderError, match='no context "three"; it has one'):
        active_context(_kubeconfig("one"), "three")


def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("hello: world\n")
    with pytest.raises(ProviderError, match=f"{path} is not a kubeconfig"):
        load_kubeconfig(Settings(kubeconfig=str(path)))
