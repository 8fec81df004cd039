"""Do the kinds that others' operators bring know every field that is declared? An older operator's have fewer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.machine import Finding
from ops.preflight.declared import Declared

FIRST = {
    "spec.syncPolicy.retry.refresh": "Argo CD 3.2",
    "spec.clusterResourceWhitelist[].name": "Argo CD 3.3",
    "spec.podMetricsEndpoints[].portNumber": "the Prometheus operator 0.79",
}
"""Field -> the first release that knows it; docs/dev.md names the newest of each."""
Manifest = Mapping[str, Any]


def lacking(definitions: Sequence[Manifest], manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """Yield a finding for each kind that lacks a field.

    Args:
        definitions: the cluster's CustomResourceDefinitions.
        manifests: what is declared; a kind that is not among the definitions is not looked at.
    """
    schemas = {
        (f"{item['spec']['group']}/{version['name']}", item["spec"]["names"]["kind"]): version["schema"]
        for item in definitions
        for version in item["spec"]["versions"]
        if "schema" in version
    }
    unknown: dict[tuple[str, str], set[str]] = {}
    for each in manifests:
        its = (str(each["apiVersion"]), str(each["kind"]))
        schema = schemas.get(its, {}).get("openAPIV3Schema", {})
        fields = _unknown(each.get("spec"), schema.get("properties", {}).get("spec", {}), "spec")
        unknown.setdefault(its, set()).update(fields)
    for (version, kind), paths in sorted(unknown.items()):
        if paths:
            releases = sorted({FIRST[path] for path in paths if path in FIRST})
            yield Finding(
                name=f"kind {kind}",
                ok=False,
                says=f"the cluster's {kind} of {version} has no {', '.join(sorted(paths))}",
                fix="have its operator raised" + (f": {releases[-1]} is the first that knows it" if releases else ""),
            )


def manifests_of(declared: Declared) -> list[Manifest]:
    """Return everything that a stack declares, and what Argo CD is told."""
    # The whole program, as in :func:`declared`.
    from infra.gitops import bootstrap  # noqa: PLC0415

    objects: list[Manifest] = [each.properties for each in declared.recording.objects()]
    return [*objects, *bootstrap(declared.stack, declared.name)]


def _unknown(value: Any, schema: Manifest, path: str) -> Iterator[str]:
    """Yield the fields of a value that a schema does not have; where it names none, it takes any."""
    if isinstance(value, list):
        for each in value:
            yield from _unknown(each, schema.get("items", {}), f"{path}[]")
    if not isinstance(value, Mapping) or "properties" not in schema:
        return
    known, open_to_all = schema["properties"], schema.get("x-kubernetes-preserve-unknown-fields")
    for key, item in value.items():
        if key in known:
            yield from _unknown(item, known[key], f"{path}.{key}")
        elif not open_to_all:
            yield f"{path}.{key}"
