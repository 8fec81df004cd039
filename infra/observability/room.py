"""From the configuration of the room to its components."""

from pulumi import Input, Output

from infra.ci.git import page_of
from infra.config import StackConfig
from infra.config.observability import IssuerEndpointsConfig, OwnStackConfig
from infra.network.address import cluster_issuer, public_url
from infra.network.authorities import version_of
from infra.network.login import GROUPS_CLAIM, Login, login_of
from infra.observability import names
from infra.observability.alert import rule_spec
from infra.observability.alerts import alerts_of
from infra.observability.collector import Collector, CollectorArgs
from infra.observability.dashboards.all import dashboards_of
from infra.observability.dashboards.grafana import as_json
from infra.observability.exporters import declare_exporters
from infra.observability.gpu_exporter import GpuExporter, GpuExporterArgs
from infra.observability.grafana import ADMIN_FILES, LOGIN_SECRET_FILE, GrafanaArgs, GrafanaLoginArgs
from infra.observability.measured import measured
from infra.observability.monitors import Monitors, MonitorsArgs, Place
from infra.observability.prometheus import PrometheusStack, PrometheusStackArgs
from infra.observability.scope import scope_of
from infra.observability.stores import Loki, LokiArgs, Tempo, TempoArgs
from infra.observability.targets import targets_of
from infra.secrets.files import declare_secret
from infra.site import Site

RUNBOOKS = "docs/runbooks.md"


DEX_ENDPOINTS = IssuerEndpointsConfig(authorize="/auth", token="/token", userinfo="/userinfo")  # noqa: S106 - paths


def runbooks_of(stack: StackConfig) -> str:
    """Return where people read what to do about an alert; the file's name where no server shows it."""
    return stack.observability.runbooks or page_of(stack, RUNBOOKS) or RUNBOOKS


def declare(site: Site) -> None:
    """Declare what measures the stack, or only what the cluster's own Prometheus and Grafana need to find it."""
    config = site.stack.observability
    declare_exporters(site)
    if config.stack:
        prometheus = _own_stack(site, config.stack)
        _monitors(site, Place(namespace=site.namespaces["observability"]), prometheus)
    elif theirs := config.monitors:
        place = Place(
            namespace=theirs.namespace,
            labels=theirs.labels,
            dashboard_namespace=theirs.dashboard_namespace or theirs.namespace,
            dashboard_labels=theirs.dashboard_labels,
        )
        _monitors(site, place, None)


def _monitors(site: Site, place: Place, after: PrometheusStack | None) -> None:
    targets = targets_of(site.stack, site.plan.spaces, site.plan.pods)
    there = measured(site.stack, targets)
    scope = scope_of(site.stack, site.plan.spaces)
    Monitors(
        "monitors",
        MonitorsArgs(
            place=place,
            targets=targets,
            plan=site.plan,
            dashboards={each.name: as_json(each, scope) for each in dashboards_of(there)},
            rules=rule_spec(alerts_of(there), runbooks_of(site.stack), scope),
            after=[after] if after else [],
        ),
        opts=site.options,
    )


def _own_stack(site: Site, own: OwnStackConfig) -> PrometheusStack:
    namespace, storage_class = site.namespaces["observability"], site.stack.storage.storage_class
    prometheus = PrometheusStack(
        "prometheus-stack",
        PrometheusStackArgs(
            namespace=namespace,
            node_namespace=site.namespaces["node-exporter"],
            config=own,
            storage_class=storage_class,
            grafana=_grafana(site, own),
        ),
        opts=site.options,
    )
    loki = Loki("loki", LokiArgs(namespace=namespace, config=own.loki, storage_class=storage_class), opts=site.options)
    tempo = Tempo(
        "tempo", TempoArgs(namespace=namespace, config=own.tempo, storage_class=storage_class), opts=site.options
    )
    Collector(
        "collector",
        CollectorArgs(
            namespace=namespace,
            logs_url=loki.push_url,
            traces_url=tempo.push_url,
            metrics_url=f"http://prometheus-operated:{names.PROMETHEUS_PORT}/api/v1/write",
        ),
        opts=site.options,
    )
    if own.gpu_exporter_image:
        GpuExporter(
            "gpu-exporter",
            GpuExporterArgs(
                namespace=namespace,
                image=own.gpu_exporter_image,
                runtime_class=site.stack.gpu.runtime_class,
                on_all_nodes=site.stack.gpu.nodes == "all",
            ),
            opts=site.options,
        )
    return prometheus


def _grafana(site: Site, own: OwnStackConfig) -> GrafanaArgs:
    stack = site.stack
    admin = declare_secret(site, "observability", "grafana-admin", "observability", ADMIN_FILES)
    login = login_of(stack) if own.grafana_host else None
    client = (
        declare_secret(
            site,
            "observability",
            "grafana-login",
            "observability",
            {LOGIN_SECRET_FILE: f"${{{login.secret_key('grafana')}}}"},
        )
        if login
        else None
    )
    return GrafanaArgs(
        namespace=site.namespaces["observability"],
        admin_secret=admin.secret,
        secrets_version=Output.concat(admin.version, "-", client.version) if client else admin.version,
        url=public_url(stack, own.grafana_host) if own.grafana_host else None,
        host=own.grafana_host,
        ingress_class=stack.network.ingress_class,
        cluster_issuer=cluster_issuer(stack),
        login=_login(login, own, client.secret) if login and client else None,
        authorities=version_of(stack),
    )


def _login(login: Login, own: OwnStackConfig, client_secret: Input[str]) -> GrafanaLoginArgs:
    endpoints = own.issuer_endpoints or DEX_ENDPOINTS
    return GrafanaLoginArgs(
        authorize_url=_at(login.issuer, endpoints.authorize),
        token_url=_at(login.issuer, endpoints.token),
        userinfo_url=_at(login.issuer, endpoints.userinfo),
        scopes=login.scopes,
        client_id=login.client_id("grafana"),
        client_secret=client_secret,
        groups_claim=GROUPS_CLAIM,
        admin_group=login.admin_group,
        user_group=login.user_group,
        own_ca=login.own_ca,
        host_aliases=login.host_aliases,
    )


def _at(issuer: str, endpoint: str) -> str:
    return issuer.rstrip("/") + endpoint if endpoint.startswith("/") else endpoint
