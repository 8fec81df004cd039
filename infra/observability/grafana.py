"""How Grafana starts: nothing is set up by hand in it, so it needs no volume, and a restart brings everything back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi import Input

from infra.network import authorities
from infra.observability import names
from infra.workload import SECRETS_VERSION, resources

ADMIN_FILES: Mapping[str, str] = {"admin-user": "admin", "admin-password": "${grafanaAdminPassword}"}
"""Files of the Secret of its own administrator."""
LOGIN_FOLDER = "/etc/grafana-login"
LOGIN_SECRET_FILE = "client-secret"  # noqa: S105 - the name of a file
TLS_SECRET = "grafana-tls"  # noqa: S105 - the name of a Secret
CA_FOLDER = "/etc/grafana-ca"


@dataclass(frozen=True, kw_only=True)
class GrafanaLoginArgs:
    """How people log in to Grafana as they do everywhere else."""

    authorize_url: str
    """Where the issuer lets people log in."""
    token_url: str
    """Where it gives tokens."""
    userinfo_url: str
    """Where it says who somebody is."""
    scopes: Sequence[str]
    """What is asked for."""
    client_id: str
    """Grafana's name at the issuer."""
    client_secret: Input[str]
    """Name of the Secret with :data:`LOGIN_SECRET_FILE`."""
    groups_claim: str
    """Claim with a person's groups."""
    admin_group: str
    """Group that administers."""
    user_group: str
    """Group that looks; whoever is in neither is refused."""
    own_ca: bool
    """Whether the issuer's certificate is of the authority in Grafana's own TLS Secret."""
    host_aliases: Mapping[str, Sequence[str]]
    """Address -> names that no DNS knows."""


@dataclass(frozen=True, kw_only=True)
class GrafanaArgs:
    """What the values of Grafana are made from."""

    namespace: Input[str]
    """Its namespace, where it looks for dashboards too."""
    admin_secret: Input[str]
    """Name of the Secret with :data:`ADMIN_FILES`."""
    secrets_version: Input[str]
    """Changes with any of its Secrets: it reads them at its start."""
    url: str | None = None
    """Its public address; None: no Ingress."""
    host: str | None = None
    """Host name of the Ingress."""
    ingress_class: str = "nginx"
    """Class of the Ingress."""
    cluster_issuer: str | None = None
    """Who signs its certificate; None: plain HTTP."""
    login: GrafanaLoginArgs | None = None
    """None: only its own administrator logs in."""
    authorities: str | None = None
    """Changes with the authorities in its namespace's ConfigMap; None: the public ones only."""


def grafana_values(args: GrafanaArgs) -> dict[str, Any]:
    """Return the values of the chart grafana."""
    login = args.login
    return {
        "fullnameOverride": "grafana",
        "defaultDashboardsEnabled": False,
        "testFramework": {"enabled": False},
        "initChownData": {"enabled": False},
        "serviceMonitor": {"enabled": False},
        "admin": {"existingSecret": args.admin_secret, "userKey": "admin-user", "passwordKey": "admin-password"},
        "rbac": {"namespaced": True},
        "podAnnotations": {SECRETS_VERSION: args.secrets_version, **authorities.annotations(args.authorities)},
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "resources": resources(cpu_millicores=500, memory_mib=256),
        "sidecar": {
            "resources": resources(cpu_millicores=100, memory_mib=96),
            "dashboards": {
                "label": names.DASHBOARD_LABEL,
                "labelValue": "1",
                "searchNamespace": args.namespace,
                "resource": "configmap",  # by default it reads the namespace's Secrets too
            },
            "datasources": {"enabled": False},
        },
        "datasources": {"datasources.yaml": {"apiVersion": 1, "datasources": _data_sources()}},
        "grafana.ini": _settings(args),
        **({"extraSecretMounts": _mounts(login), "hostAliases": _aliases(login)} if login else {}),
        **({"ingress": _ingress(args)} if args.host else {}),
        **(_trust() if args.authorities else {}),
    }


def _trust() -> dict[str, Any]:
    """Return what lets it ask an issuer whose certificate a company's authority signed; `tls_client_ca` is for one."""
    folder = {"name": authorities.CONFIG_MAP, "configMap": authorities.CONFIG_MAP, "mountPath": authorities.FOLDER}
    return {
        "extraConfigmapMounts": [{**folder, "readOnly": True}],
        "env": {"SSL_CERT_FILE": authorities.FILE},
    }


def _settings(args: GrafanaArgs) -> dict[str, Any]:
    nothing_home = {"reporting_enabled": False, "check_for_updates": False, "check_for_plugin_updates": False}
    return {
        "analytics": nothing_home,
        "news": {"news_feed_enabled": False},
        # Else it fetches plugins from the internet at each start, which no flow allows.
        "plugins": {"preinstall_disabled": True},
        "users": {"default_theme": "system", "allow_sign_up": False},
        **({"server": {"root_url": args.url}} if args.url else {}),
        **({"auth.generic_oauth": _oauth(args.login)} if args.login else {}),
    }


def _oauth(login: GrafanaLoginArgs) -> dict[str, Any]:
    has = f"contains({login.groups_claim}[*], '{{}}')"
    return {
        "enabled": True,
        "name": "Login",
        "client_id": login.client_id,
        "client_secret": f"$__file{{{LOGIN_FOLDER}/{LOGIN_SECRET_FILE}}}",
        "scopes": " ".join(login.scopes),
        "auth_url": login.authorize_url,
        "token_url": login.token_url,
        "api_url": login.userinfo_url,
        "use_pkce": True,
        "allow_sign_up": True,
        "role_attribute_path": (
            f"{has.format(login.admin_group)} && 'GrafanaAdmin' || {has.format(login.user_group)} && 'Viewer'"
        ),
        # Without a role nobody comes in; else whoever the issuer knows would be a viewer.
        "role_attribute_strict": True,
        "allow_assign_grafana_admin": True,
        **({"tls_client_ca": f"{CA_FOLDER}/ca.crt"} if login.own_ca else {}),
    }


def _mounts(login: GrafanaLoginArgs) -> list[dict[str, Any]]:
    secret: dict[str, Any] = {"name": "login", "secretName": login.client_secret, "mountPath": LOGIN_FOLDER}
    # Optional: the certificate is made for the Ingress, which comes after the pod. Its key stays out of the pod.
    authority: dict[str, Any] = {"name": "ca", "secretName": TLS_SECRET, "mountPath": CA_FOLDER, "optional": True}
    authority["items"] = [{"key": "ca.crt", "path": "ca.crt"}]
    return [
        {**mount, "readOnly": True, "defaultMode": 0o440} for mount in (secret, *([authority] if login.own_ca else []))
    ]


def _aliases(login: GrafanaLoginArgs) -> list[dict[str, Any]]:
    return [{"ip": address, "hostnames": list(hosts)} for address, hosts in login.host_aliases.items()]


def _ingress(args: GrafanaArgs) -> dict[str, Any]:
    plain: dict[str, Any] = {"enabled": True, "ingressClassName": args.ingress_class, "hosts": [args.host]}
    if not args.cluster_issuer:
        return plain
    return {
        **plain,
        "annotations": {"cert-manager.io/cluster-issuer": args.cluster_issuer},
        "tls": [{"secretName": TLS_SECRET, "hosts": [args.host]}],
    }


def _data_sources() -> list[dict[str, Any]]:
    """Return where metrics, alerts, logs and traces are; from a log line one gets to its trace, and back."""
    return [
        _source("Prometheus", "prometheus", "prometheus-operated", names.PROMETHEUS_PORT) | {"isDefault": True},
        _source("Alertmanager", "alertmanager", "alertmanager-operated", names.ALERTMANAGER_PORT)
        | {"jsonData": {"implementation": "prometheus"}},
        _source("Loki", "loki", "loki", names.LOKI_PORT)
        | {
            "jsonData": {
                "derivedFields": [
                    {
                        "name": "trace",
                        "datasourceUid": "tempo",
                        "matcherRegex": r'"trace_id": ?"([0-9a-f]{32})"',
                        "url": "$${__value.raw}",
                    }
                ]
            }
        },
        _source("Tempo", "tempo", "tempo", names.TEMPO_PORT)
        | {"jsonData": {"tracesToLogsV2": {"datasourceUid": "loki", "filterByTraceID": True}}},
    ]


def _source(name: str, kind: str, host: str, port: int) -> dict[str, Any]:
    return {"name": name, "uid": kind, "type": kind, "url": f"http://{host}:{port}", "editable": False}
