"""Who signs, for which names, and how a public authority sees that a domain is ours."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from infra.config.certificates import Dns01Config
from infra.network.issuers import root_certificate, solver
from tests.infra.network.support import ACME, OURS, declared
from tests.infra.support import of_kind, only

KEEPERS: list[dict[str, Any]] = [
    {"cloudflare": {}},
    {"route53": {"region": "eu-central-1", "hostedZoneId": "Z01", "accessKeyId": "AKIA01"}},
    {"rfc2136": {"nameserver": "ns.example.com:53", "tsigKeyName": "aihub"}},
]


def crd_problems(manifest: dict[str, Any]) -> list[str]:
    """Return what the CRD has against a manifest, unknown fields included, which the API server would drop."""
    plural = manifest["kind"].lower() + "s"
    crd = yaml.safe_load((Path(os.environ["CRDS_DIR"]) / f"{plural}.cert-manager.io.yaml").read_text())
    (version,) = (each for each in crd["spec"]["versions"] if each["name"] == "v1")
    schema = _closed(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
    return [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(manifest["spec"])
    ]


def _closed(schema: Any) -> Any:
    match schema:
        case {"properties": dict(), **_rest} if "additionalProperties" not in schema:
            return {**{key: _closed(each) for key, each in schema.items()}, "additionalProperties": False}
        case dict():
            return {key: _closed(each) for key, each in schema.items()}
        case list():
            return [_closed(each) for each in schema]
        case _:
            return schema


def test_the_root_is_kept_and_signs_for_our_domains_only() -> None:
    certificate = only(declared(OURS), "Certificate")
    spec = certificate["spec"]
    assert certificate["metadata"]["namespace"] == "cert-manager"
    assert spec["isCA"]
    assert spec["nameConstraints"] == {"critical": True, "permitted": {"dnsDomains": ["aihub.local"]}}
    # Another key would be another root, which no machine trusts yet.
    assert spec["privateKey"]["rotationPolicy"] == "Never"
    assert spec["duration"] == f"{10 * 8766}h"


def test_ingresses_ask_the_issuer_that_is_declared() -> None:
    for config in (OURS, ACME):
        recording = declared(config)
        issuer = only(recording, "ClusterIssuer")["metadata"]["name"]
        ingresses = [each.properties for each in of_kind(recording, "Ingress")]
        assert ingresses
        for ingress in ingresses:
            assert ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == issuer
            assert [tls["hosts"] for tls in ingress["spec"]["tls"]] == [[ingress["spec"]["rules"][0]["host"]]]


@pytest.mark.parametrize("config", [OURS, ACME], ids=["own-ca", "acme"])
def test_issuers_wait_for_cert_manager(config: dict[str, Any]) -> None:
    recording = declared(config)
    by_urn = {each.urn: each for each in recording.resources}
    (issuer,) = of_kind(recording, "ClusterIssuer")
    waits_for, todo = set(), [issuer.urn]
    while todo:
        urn = todo.pop()
        waits_for.add(by_urn[urn].name)
        todo += by_urn[urn].depends_on
    assert "cert-manager-release" in waits_for


@pytest.mark.parametrize("keeper", KEEPERS, ids=lambda each: next(iter(each)))
def test_every_keeper_of_a_zone_gets_its_secret_by_name(keeper: dict[str, Any]) -> None:
    (kind,) = keeper
    spec = solver(Dns01Config.model_validate(keeper), "acme-dns-secret")
    assert list(spec) == [kind]
    assert {"name": "acme-dns-secret", "key": "secret"} in spec[kind].values()


def test_records_are_looked_at_over_https_only() -> None:
    (release,) = (
        each.properties
        for each in declared(ACME).resources
        if each.properties.get("name") == "cert-manager" and "chart" in each.properties
    )
    values = release["values"]
    assert values["dns01RecursiveNameserversOnly"] is True
    assert values["dns01RecursiveNameservers"].startswith("https://")


@pytest.mark.skipif(not os.environ.get("CRDS_DIR"), reason="set CRDS_DIR to a folder with cert-manager's CRDs")
def test_cert_manager_knows_every_field() -> None:
    for config in (OURS, ACME):
        for kind in ("Issuer", "ClusterIssuer", "Certificate"):
            for each in of_kind(declared(config), kind):
                assert crd_problems(each.properties) == []
    for keeper in KEEPERS:
        how = {"dns01": solver(Dns01Config.model_validate(keeper), "acme-dns")}
        spec = {"acme": {"server": "https://acme", "privateKeySecretRef": {"name": "account"}, "solvers": [how]}}
        assert crd_problems({"kind": "ClusterIssuer", "spec": spec}) == []
    misspelt = {"kind": "Certificate", "spec": {**root_certificate(["a.b"], 1), "privatKey": {}}}
    assert len(crd_problems(misspelt)) == 1
