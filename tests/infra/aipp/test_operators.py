"""The tree of `make live STACK=dev` and its stand-in operators, on a real API server."""

import base64
import json
from collections.abc import Iterator

import pytest
import yaml

from ops import access
from ops.differences import stateless
from ops.differences.objects import ARGOCD, Declared
from plugins.kubernetes.cluster import APPLY, connect
from plugins.kubernetes.settings import Settings
from tests import apiserver
from tests.live.common.kube import Manifest, apply, get, kubectl, listed
from tests.live.dev import operators, tree
from tests.live.dev.operators import EXTERNAL_SECRETS, NAMESPACE, Operators

pytestmark = pytest.mark.skipif(bool(apiserver.missing()), reason=apiserver.missing())


@pytest.fixture(scope="module")
def tree_of_services() -> Iterator[None]:
    with apiserver.ApiServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "NODE_KUBECONFIG", server.kubeconfig)
        apply([operators.definition()])
        kubectl("wait", "--for=condition=Established", f"crd/{EXTERNAL_SECRETS}", "--timeout=30s")
        manifests = [
            each for path, text in tree.files().items() if "/base/" in path for each in yaml.safe_load_all(text) if each
        ]
        found = [each for each in manifests if each["kind"] != "Kustomization"]
        apply(sorted(found, key=lambda each: each["kind"] != "Namespace"))
        yield


def condition(external: Manifest) -> tuple[str, str]:
    (ready,) = external["status"]["conditions"]
    return ready["status"], ready["message"]


def test_what_the_api_server_fills_in_is_no_difference_to_it_and_no_drift(tree_of_services: None) -> None:
    """The first is what Argo CD asks where an Application says `ServerSideDiff`; the second, what `make drift` does."""
    (text,) = (text for path, text in tree.files().items() if path.endswith("/base/secrets.yaml"))
    declared: Manifest = next(each for each in yaml.safe_load_all(text) if each)
    declared["metadata"]["name"] += "-by-argocd"
    cluster = connect(Settings(kubeconfig=str(access.NODE_KUBECONFIG)))

    def applied(*more: tuple[str, str]) -> Manifest:
        query = [("fieldManager", "argocd-controller"), ("force", "true"), *more]
        found: Manifest = cluster.call("PATCH", cluster.path_of(declared), query, json.dumps(declared), APPLY)
        return found

    before = applied()
    assert all(operators.DEFAULTS.items() <= datum["remoteRef"].items() for datum in before["spec"]["data"])
    assert applied(("dryRun", "All")) == before
    owned = Declared(what="it", owner=ARGOCD, content=declared)
    assert [each.ok for each in stateless.findings(cluster, [owned])] == [True]
    cluster.delete(declared, "Background")


def test_secrets_come_as_they_are_described_unless_vault_is_sealed(tree_of_services: None) -> None:
    both = Operators()
    both.look()
    assert {condition(each)[0] for each in listed(EXTERNAL_SECRETS, NAMESPACE)} == {"True"}
    secret = get("secret", "aipp-rabbitmq-definitions", NAMESPACE)
    assert secret
    definitions = json.loads(base64.b64decode(secret["data"]["definitions.json"]))
    assert [user["password"] for user in definitions["users"]] == [both.values["aippQueuePassword"]]

    both.sealed = True
    both.look()
    states = {condition(each) for each in listed(EXTERNAL_SECRETS, NAMESPACE)}
    assert states == {("False", operators.SEALED)}
    assert get("secret", "enai-scheduler-secrets", NAMESPACE)
    kubectl("delete", "secret", "enai-scheduler-secrets", "--namespace", NAMESPACE)
    both.look()
    assert get("secret", "enai-scheduler-secrets", NAMESPACE) is None

    both.sealed = False
    both.look()
    assert {condition(each)[0] for each in listed(EXTERNAL_SECRETS, NAMESPACE)} == {"True"}
    assert get("secret", "enai-scheduler-secrets", NAMESPACE)
    assert not both.troubles


def test_every_ingress_gets_its_address(tree_of_services: None) -> None:
    Operators().look()
    found = [each["status"]["loadBalancer"]["ingress"] for each in listed("ingresses", NAMESPACE)]
    assert len(found) == 2
    assert all(address == [{"ip": "127.0.0.1"}] for address in found)
