"""An ingress controller of our own: its ports, the redirect, the class that leads to it."""

import os
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra.network import ingress_nginx, traefik
from infra.network.address import public_port
from infra.network.controller_args import CONTROLLER_CLASS, ControllerArgs
from infra.network.names import https_port
from tests.infra.network.support import ACME, FOREIGN, OURS, declared, stack_of
from tests.infra.support import only

RELEASE = "kubernetes:helm.sh/v3:Release"


def arguments(**changes: Any) -> ControllerArgs:
    fields: dict[str, Any] = {
        "namespace": "ingress",
        "kind": "traefik",
        "ingress_class": "nginx",
        "http_port": 31302,
        "https_port": 31084,
        "status_address": "192.0.2.7",
        "redirects_to_https": True,
        "memory_mib": 256,
    }
    return ControllerArgs(**{**fields, **changes})


def test_traefik_serves_our_class_on_the_ports_of_the_node() -> None:
    values = traefik.values(arguments(cluster_ip="10.96.0.80"))
    assert values["service"]["spec"] == {"type": "NodePort", "clusterIP": "10.96.0.80"}
    assert [values["ports"][name]["nodePort"] for name in ("web", "websecure")] == [31302, 31084]
    providers = values["providers"]
    assert [name for name, its in providers.items() if its["enabled"]] == ["kubernetesIngressNGINX"]
    assert providers["kubernetesIngressNGINX"]["ingressClass"] == "nginx"
    assert providers["kubernetesIngressNGINX"]["publishStatusAddress"] == "192.0.2.7"


def test_traefik_sends_people_to_the_port_that_addresses_name() -> None:
    stack = stack_of(OURS, controller={"httpPort": 30001, "httpsPort": 30002, "clusterIp": "10.96.0.80"})
    values = traefik.values(arguments(http_port=30001, https_port=30002))
    # The chart writes `to=:<exposedPort of the entry point that is named>` (templates/_podtemplate.tpl).
    redirect = values["ports"]["web"]["http"]["redirections"]["entryPoint"]
    assert values["ports"][redirect["to"]]["exposedPort"] == public_port(stack) == 30002
    assert (redirect["scheme"], redirect["permanent"]) == ("https", False)
    assert "http" not in traefik.values(arguments(redirects_to_https=False))["ports"]["web"]


def test_ingress_nginx_listens_on_the_port_that_its_redirects_name() -> None:
    controller = ingress_nginx.values(arguments())["controller"]
    assert controller["config"]["use-port-in-redirects"] == "true"
    ports = controller["containerPort"], controller["service"]["ports"], controller["service"]["nodePorts"]
    assert ports == ({"http": 31302, "https": 31084},) * 3
    assert controller["extraArgs"]["https-port"] == "31084"
    assert controller["config"]["hsts"] == "false"
    assert ingress_nginx.values(arguments(redirects_to_https=False))["controller"]["config"]["ssl-redirect"] == "false"


def test_layers_of_images_have_time_to_come_in() -> None:
    ports = traefik.values(arguments())["ports"]
    assert {its["transport"]["respondingTimeouts"]["readTimeout"] for its in ports.values()} == {"600s"}


def test_nothing_calls_home_and_no_dashboard_is_up() -> None:
    values = traefik.values(arguments())
    assert values["global"] == {"checkNewVersion": False, "sendAnonymousUsage": False}
    assert values["api"] == {"dashboard": False}
    assert values["accessLog"]["fields"]["queryParameters"] == {"defaultMode": "drop"}


def test_the_class_names_the_controller_that_both_kinds_answer_to() -> None:
    recording = declared(OURS)
    assert only(recording, "IngressClass")["spec"] == {"controller": CONTROLLER_CLASS}
    names = [each.properties["name"] for each in recording.resources if each.type == RELEASE]
    assert sorted(names) == ["cert-manager", "traefik"]


def test_a_retired_controller_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: warnings.append(text))
    declared(ACME)
    (warning,) = warnings
    assert "aihub:network.controller.kind" in warning
    assert "remove the field" in warning
    declared(OURS)
    assert len(warnings) == 1


def test_a_foreign_controller_is_left_alone() -> None:
    recording = declared(FOREIGN)
    assert not [each for each in recording.resources if each.type == RELEASE or each.kind == "IngressClass"]


def test_policies_know_the_port_of_the_pods() -> None:
    for config in (OURS, ACME):
        controller = stack_of(config).network.controller
        assert controller
        assert https_port(controller) == (8443 if config is OURS else 30443)


@pytest.mark.skipif(not os.environ.get("CHARTS_DIR"), reason="set CHARTS_DIR to a folder with ingress-nginx/")
def test_the_retired_chart_knows_every_value() -> None:
    from tests.stacks.test_charts import chart_values, unknown_keys  # here: it records every stack

    known = chart_values(Path(os.environ["CHARTS_DIR"]) / "ingress-nginx")
    assert list(unknown_keys(ingress_nginx.values(arguments(cluster_ip="10.96.0.80")), known)) == []
