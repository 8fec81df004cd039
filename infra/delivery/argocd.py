"""Argo CD: what follows Git and makes the cluster say the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions

from infra.chart import release
from infra.ci.webhook import ArgoCdWebhook
from infra.config.delivery import ArgoCdConfig
from infra.network import authorities
from infra.network.login import GROUPS_CLAIM, Login
from infra.versions import ARGO_CD
from infra.workload import resources

SETTINGS_SECRET = "argocd-secret"  # noqa: S105 - its name, which Argo CD knows
CACHE_SECRET = "argocd-redis"  # noqa: S105 - as above
REPOSITORY_SECRET = "argocd-repository"  # noqa: S105 - its name
CERTIFICATE_SECRET = "argocd-server-tls"  # noqa: S105 - the chart's name for the Ingress' certificate
SERVER_PORT = 8080
PASSWORD_SINCE = "2025-01-01T00:00:00Z"  # noqa: S105 - a date
"""Argo CD refuses sessions older than its password. The real date is not known here and would differ in each preview;
a new session key, which `make secret` makes as well, ends all sessions."""

CACHE_FILES: Mapping[str, str] = {"auth": "${argocdRedisPassword}"}
PART_OF = {"app.kubernetes.io/part-of": "argocd"}
"""Argo CD reads no settings from objects without it, and takes up a change of these by itself."""
_CA_FOLDER = "/etc/aihub-ca"
_IMAGE = '{{ .Values.global.image.repository }}:{{ include "argo-cd.defaultTag" . }}'
"""Argo CD's own, under the name that the chart works out."""
CONTAINER_SECURITY: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""As the charts of this room have it for the containers of their own."""


def settings_files(login: Login | None, webhook: ArgoCdWebhook | None) -> dict[str, str]:
    """Return the template of the Secret that Argo CD would else fill with values of its own at its first start."""
    files = {
        "admin.password": "${argocdAdminHash}",
        "admin.passwordMtime": PASSWORD_SINCE,
        "server.secretkey": "${argocdSessionKey}",
    }
    if login:
        files["oidc.clientSecret"] = f"${{{login.secret_key('argocd')}}}"
    if webhook:
        files[webhook.setting] = "${argocdWebhookSecret}"
    return files


def repository_files(repository: str, username: str) -> dict[str, str]:
    """Return the template of the Secret with which Argo CD and Image Updater reach Git."""
    return {"type": "git", "url": repository, "username": username, "password": "${deliveryPassword}"}


@dataclass(frozen=True, kw_only=True)
class ArgoCdArgs:
    """What an :class:`ArgoCd` needs from its caller."""

    namespace: Input[str]
    """Namespace of the release."""
    config: ArgoCdConfig
    """Its sizes and its host name."""
    url: str | None
    """Public address of its page; absent: it has none."""
    ingress_class: str
    """IngressClass."""
    cluster_issuer: str | None
    """cert-manager's issuer of the page's certificate; absent: plain HTTP."""
    login: Login | None
    """How people log in; absent: the administrator's password only."""
    secrets: tuple[Resource, ...]
    """Secrets that must be there first."""
    authorities: str | None = None
    """Changes with the authorities in the namespace's ConfigMap; absent: the public ones only."""


class ArgoCd(ComponentResource):
    """The chart, with every generated value given from outside and one replica of what is needed."""

    release: Output[str]
    """Name of the release; known once its pods are ready and its kinds are known to the cluster."""

    def __init__(self, name: str, args: ArgoCdArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:delivery:ArgoCd", name, {}, opts)
        chart = release(
            name, ARGO_CD, namespace=args.namespace, values=values(args), parent=self, depends_on=args.secrets
        )
        self.release = chart.name.apply(str)
        self.register_outputs({"release": self.release})


def values(args: ArgoCdArgs) -> dict[str, Any]:
    """Return the chart's values."""
    config = args.config
    settings: dict[str, Any] = {
        "timeout.reconciliation": "60s",
        "timeout.reconciliation.jitter": "0s",
    }
    if args.url:
        settings["url"] = args.url
    if args.login:
        settings["oidc.config"] = _oidc(args.login)
    return {
        "crds": {"install": True, "keep": True},
        "global": {
            **({"domain": config.host} if config.host else {}),
            # Ours hold for every namespace; the chart's would let anybody reach the server.
            "networkPolicy": {"create": False},
            "hostAliases": [
                {"ip": address, "hostnames": list(names)}
                for address, names in (args.login.host_aliases if args.login else {}).items()
            ],
        },
        "configs": {
            "cm": settings,
            "params": {
                "server.insecure": True,  # TLS ends at the ingress controller
                "controller.diff.server.side": True,
            },
            "rbac": _roles(args.login),
            "secret": {"createSecret": False},
        },
        "redisSecretInit": {"enabled": False},
        "dex": {"enabled": False},
        "notifications": {"enabled": False},
        "applicationSet": {"replicas": 0},
        "controller": {"resources": _size(500, config.controller_memory_mib)},
        "repoServer": _repo_server(args),
        "redis": {"resources": _size(100, config.redis_memory_mib)},
        "server": _server(args),
    }


def _size(cpu_millicores: int, memory_mib: int) -> dict[str, Any]:
    return dict(resources(cpu_millicores=cpu_millicores, memory_mib=memory_mib))


def _repo_server(args: ArgoCdArgs) -> dict[str, Any]:
    """Return what reads Git. Not by `configs.tls.certificates`, which for its host would trust no public authority."""
    server: dict[str, Any] = {"resources": _size(500, args.config.repo_server_memory_mib)}
    if not args.authorities:
        return server
    return server | {
        "podAnnotations": authorities.annotations(args.authorities),
        "initContainers": [authorities.bundle_maker(_IMAGE, CONTAINER_SECURITY)],
        "volumes": [authorities.VOLUME, authorities.BUNDLE_VOLUME],
        "volumeMounts": [{**authorities.BUNDLE_MOUNT, "readOnly": True}],
        "env": authorities.BUNDLE_ENVIRONMENT,
    }


def _server(args: ArgoCdArgs) -> dict[str, Any]:
    server: dict[str, Any] = {
        "resources": _size(250, args.config.server_memory_mib),
        "env": [],
        "volumes": [],
        "volumeMounts": [],
    }
    if args.authorities:
        server["podAnnotations"] = authorities.annotations(args.authorities)
        server["env"] += authorities.ENVIRONMENT
        server["volumes"].append(authorities.VOLUME)
        server["volumeMounts"].append(authorities.MOUNT)
    if args.config.host:
        server |= _page(args)
    if args.login and args.login.own_ca and args.config.host:
        # Beside the image's own authorities: the issuer's certificate is of our own, and so is this page's.
        ca = {"secretName": CERTIFICATE_SECRET, "items": [{"key": "ca.crt", "path": "ca.crt"}]}
        server["env"].append({"name": "SSL_CERT_DIR", "value": f"/etc/ssl/certs:{_CA_FOLDER}"})
        server["volumes"].append({"name": "ca", "secret": ca})
        server["volumeMounts"].append({"name": "ca", "mountPath": _CA_FOLDER, "readOnly": True})
    return {key: value for key, value in server.items() if value}


def _page(args: ArgoCdArgs) -> dict[str, Any]:
    issuer = {"cert-manager.io/cluster-issuer": args.cluster_issuer} if args.cluster_issuer else {}
    return {
        "ingress": {
            "enabled": True,
            "ingressClassName": args.ingress_class,
            "hostname": args.config.host,
            "annotations": issuer,
            "tls": bool(args.cluster_issuer),
        }
    }


def _oidc(login: Login) -> str:
    fields = {
        "name": "Login",
        "issuer": login.issuer,
        "clientID": login.client_id("argocd"),
        "clientSecret": "$oidc.clientSecret",
        "requestedScopes": list(login.scopes),
    }
    return yaml.safe_dump(fields, sort_keys=False)


def _roles(login: Login | None) -> dict[str, str]:
    """Return who may do what: administrators all, users look; nobody else sees anything."""
    if not login:
        return {}
    return {
        "policy.default": "",
        "policy.csv": f"g, {login.admin_group}, role:admin\ng, {login.user_group}, role:readonly\n",
        "scopes": f"[{GROUPS_CLAIM}]",
    }
