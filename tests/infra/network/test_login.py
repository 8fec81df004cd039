"""Who people are: what other rooms are told, and what an issuer of our own is told."""

import json
from string import Template
from typing import Any

from infra.network.dex_config import configuration
from infra.network.login import Login, login_of
from infra.plan import INGRESS, Flow, World
from infra.recorder import SECRET
from tests.infra.network.support import ACME, FOREIGN, OURS, declared, stack_of
from tests.infra.support import of_kind, only, pod_of


def login(config: dict[str, Any] = OURS, **network: Any) -> Login:
    found = login_of(stack_of(config, **network))
    assert found
    return found


def told() -> dict[str, Any]:
    """Return Dex's configuration, with ``<key>`` in place of each secret."""
    stack = stack_of(OURS)
    dex = stack.network.login.dex if stack.network.login else None
    assert dex
    template = Template(configuration(dex, login()))
    whole: dict[str, Any] = json.loads(template.substitute({key: f"<{key}>" for key in template.get_identifiers()}))
    return whole


def test_without_a_login_each_part_keeps_its_own_accounts() -> None:
    assert login_of(stack_of(FOREIGN)) is None


def test_an_issuer_of_our_own_has_one_address_for_browsers_and_pods() -> None:
    ours = login()
    assert ours.issuer == "https://login.aihub.local:31084"
    # The Service has the node's port, and pods know the name by the Service's address.
    assert ours.host_aliases == {"10.96.0.80": ("login.aihub.local",)}
    assert ours.own_ca
    assert ours.flow("api") == Flow(source="api", target=INGRESS, port=8443, reason=ours.flow("api").reason)


def test_a_foreign_issuer_is_called_where_it_is() -> None:
    theirs = login(ACME)
    assert theirs.issuer == "https://login.example.com:8443/realm"
    assert (theirs.flow("api").target, theirs.flow("api").port) == (World.ANYWHERE, 8443)
    assert (theirs.own_ca, dict(theirs.host_aliases)) == (False, {})
    named = login(ACME, login={"issuer": "https://login.example.com", "clientIds": {"chat": "0a1b"}})
    assert (named.client_id("chat"), named.port) == ("0a1b", 443)


def test_only_what_has_a_host_name_is_a_client() -> None:
    ours = login()
    assert list(ours.clients) == ["chat"]
    assert ours.redirects == {"chat": "https://chat.aihub.local:31084/login/callback"}
    assert (ours.client_id("chat"), ours.secret_key("chat")) == ("chat", "loginChatSecret")


def test_dex_is_told_of_its_clients_and_sends_people_back_to_them_only() -> None:
    dex = told()
    assert dex["issuer"] == login().issuer
    assert dex["staticClients"] == [
        {
            "id": "chat",
            "name": "Chat",
            "secret": "<loginChatSecret>",
            "redirectURIs": ["https://chat.aihub.local:31084/login/callback"],
        }
    ]


def test_accounts_of_dex_are_in_the_groups_that_roles_follow_from() -> None:
    groups = {account["email"]: account["groups"] for account in told()["staticPasswords"]}
    assert groups == {
        "kim@aihub.local": ["aihub-admins", "aihub-users"],
        "family@aihub.local": ["aihub-users"],
    }
    assert [account["hash"] for account in told()["staticPasswords"]] == ["<loginAdminHash>", "<loginUserHash>"]


def test_a_connector_gets_its_secret_and_keeps_its_dollar_signs() -> None:
    (connector,) = told()["connectors"]
    assert connector["config"] == {
        "host": "ldap.example.com:636",
        "bindDN": "cn=$reader",
        "bindPW": "<loginConnectorSecret>",
    }


def test_dex_gets_its_configuration_as_a_secret_file() -> None:
    recording = declared(OURS)
    (file,) = (each.properties for each in of_kind(recording, "Secret") if each.namespace == "login")
    assert file["stringData"] == SECRET
    (deployment,) = (each.properties for each in of_kind(recording, "Deployment") if each.namespace == "login")
    pod = pod_of(deployment)
    mounted = [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
    assert mounted == [file["metadata"]["name"]]
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert "SECRET" not in json.dumps(pod["containers"])


def test_people_reach_the_login_page_and_only_through_the_controller() -> None:
    recording = declared(OURS)
    (ingress,) = (each.properties for each in of_kind(recording, "Ingress") if each.namespace == "login")
    assert ingress["spec"]["rules"][0]["host"] == "login.aihub.local"
    assert only(recording, "IngressClass")["metadata"]["name"] == ingress["spec"]["ingressClassName"]
