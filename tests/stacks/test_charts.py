"""What releases hand to their charts: every value is one that the chart knows, and of the kind it expects.

The charts' own values.yaml and values.schema.json come from the folder CHARTS_DIR; a chart that is not there is skipped
by name. A chart without a schema ignores a misspelt key, so a key that its values.yaml does not have is an error here.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from infra.program import deploy
from infra.recorder import SECRET, Recorded, record
from infra.stackfile import placeholder_secrets, record_stack, stack_names
from infra.versions import IMAGE_UPDATER_IMAGE
from tests.infra.support import CONFIGS, config_file

SUBCHARTS: Mapping[str, Mapping[str, str]] = {"kube-prometheus-stack": {"grafana": "grafana"}}
"""Chart -> key of its values -> folder of the chart that reads what is below it."""

OPEN: Mapping[str, tuple[str, ...]] = {
    # Copied into the containers as they are (templates/jenkins-controller-statefulset.yaml).
    "jenkins": (
        "controller.containerSecurityContext",
        "controller.sidecars.configAutoReload.containerSecurityContext",
    ),
    "traefik": ("service.spec",),  # copied into the Service as it is (templates/_service.tpl)
    "ingress-nginx": ("controller.resources",),  # its limits stand in a comment
    "argo-cd": ("configs.cm", "configs.params"),  # become ConfigMaps entry by entry (templates/argocd-configs)
    "kube-prometheus-stack": (
        # Charts of their own, whose values.yaml is not at hand.
        "kube-state-metrics",
        "prometheus-node-exporter",
        # Written into a file, and into the pod, as they are; and three keys that stand in comments or templates only.
        r"grafana.grafana\.ini",
        "grafana.securityContext",
        "grafana.fullnameOverride",
        "grafana.podAnnotations",
        "grafana.ingress.ingressClassName",
    ),
    "loki": ("loki.limits_config",),  # written into Loki's own file as it is
    "tempo": ("securityContext", "persistence.storageClassName"),  # the one as it is; the other stands in a comment
}
"""Chart -> paths below which anything may stand, though its values.yaml has an example there, or nothing."""


def releases() -> list[tuple[str, Recorded]]:
    """Return (stack, release) for every release of every stack, and of one that trusts a company's authorities."""
    recordings = {stack: record_stack(deploy, stack) for stack in stack_names()}
    company = config_file(CONFIGS / "valid" / "authorities-of-a-company.yaml")
    recordings["company"] = record(deploy, stack="company", config=company, secrets=placeholder_secrets())
    return [
        (stack, each)
        for stack, recording in recordings.items()
        for each in recording.resources
        if each.type == "kubernetes:helm.sh/v3:Release"
    ]


RELEASES = releases()


def chart_folder(release: Recorded) -> Path:
    """Return the folder of a release's chart.

    Raises:
        Skipped: it is not at hand.
    """
    name = str(release.properties["chart"]).rpartition("/")[2]
    folder = Path(os.environ.get("CHARTS_DIR", "")) / name
    if not os.environ.get("CHARTS_DIR") or not folder.is_dir():
        pytest.skip(f"chart {name}: set CHARTS_DIR to a folder with {name}/values.yaml")
    return folder


def unknown_keys(values: Any, known: Any, path: str = "") -> Iterator[str]:
    """Yield the paths in ``values`` that ``known``, a chart's own values, does not have.

    Below an empty object, a null or a list of the chart's anything may stand: there it takes what people bring.
    """
    if not isinstance(values, dict) or not isinstance(known, dict) or not known:
        return
    for key, value in values.items():
        if key not in known:
            yield f"{path}{key}"
        else:
            yield from unknown_keys(value, known[key], f"{path}{key}.")


def chart_values(folder: Path) -> dict[str, Any]:
    """Return a chart's own values, with those of the subcharts that it brings."""
    own = dict(yaml.safe_load((folder / "values.yaml").read_text()))
    for key, chart in SUBCHARTS.get(folder.name, {}).items():
        brought = folder.parent / chart / "values.yaml"
        if brought.is_file():
            own[key] = _together(yaml.safe_load(brought.read_text()), own.get(key, {}))
    for path in OPEN.get(folder.name, ()):
        *parents, last = (key.replace("\\.", ".") for key in re.split(r"(?<!\\)\.", path))
        reduce(lambda values, key: values[key], parents, own)[last] = {}
    return own


def _together(below: Any, above: Any) -> Any:
    """Return a subchart's values with its parent's own over them, at every depth."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: _together(below.get(key), value) for key, value in above.items()}}


@pytest.mark.parametrize(("stack", "release"), RELEASES, ids=[f"{stack}-{each.name}" for stack, each in RELEASES])
def test_chart_knows_every_value(stack: str, release: Recorded) -> None:
    folder = chart_folder(release)
    assert sorted(unknown_keys(release.properties.get("values", {}), chart_values(folder))) == []


@pytest.mark.parametrize(("stack", "release"), RELEASES, ids=[f"{stack}-{each.name}" for stack, each in RELEASES])
def test_values_meet_the_schema(stack: str, release: Recorded) -> None:
    path = chart_folder(release) / "values.schema.json"
    if not path.is_file():
        return  # this chart has none; the test above is all that there is
    schema = json.loads(path.read_text())
    validator = validator_for(schema, default=Draft202012Validator)(schema)
    problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(release.properties["values"])]
    assert problems == []


@pytest.mark.parametrize(("stack", "release"), RELEASES, ids=[f"{stack}-{each.name}" for stack, each in RELEASES])
def test_release_is_pinned_and_carries_no_secret(stack: str, release: Recorded) -> None:
    assert release.properties["version"]
    assert SECRET not in json.dumps(release.properties["values"])


def test_the_list_of_authorities_is_written_by_the_image_that_image_updaters_chart_runs() -> None:
    (updater,) = (each for stack, each in RELEASES if (stack, each.name) == ("company", "argocd-image-updater-release"))
    chart = yaml.safe_load((chart_folder(updater) / "Chart.yaml").read_text())
    if chart["version"] != updater.properties["version"]:
        pytest.skip(f"the chart at hand is {chart['version']}, and {updater.properties['version']} is pinned")
    assert IMAGE_UPDATER_IMAGE.rpartition(":")[2] == chart["appVersion"]


def test_a_misspelt_key_is_found() -> None:
    known = {"server": {"replicas": 1, "extra": {}}, "list": [1]}
    values = {"server": {"replica": 1, "extra": {"anything": 1}}, "list": [{"x": 1}], "sever": {}}
    assert list(unknown_keys(values, known)) == ["server.replica", "sever"]
