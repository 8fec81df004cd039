"""Jenkins: one controller that never builds itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from infra.chart import release
from infra.ci.webhook import AGENT_PORT, JENKINS, JENKINS_PORT
from infra.cluster import labels
from infra.network import authorities
from infra.storage.volume import Volume, VolumeArgs
from infra.versions import JENKINS as PIN
from infra.workload import SECRETS_VERSION, resources

USER = 1000
"""User of the official image."""
TRUST = "/var/trust"
DEPLOY_SECRET = "git-deploy"  # noqa: S105 - the Secret's name
TIMEOUT_SECONDS = 1800
"""The first start downloads all plugins."""


@dataclass(frozen=True, kw_only=True)
class JenkinsArgs:
    """What a :class:`Jenkins` needs from its caller."""

    namespace: Input[str]
    """Namespace of the controller."""
    builds_namespace: Input[str]
    """Where pods with Secrets are made."""
    reviews_namespace: Input[str]
    """Where pods without any are made."""
    url: str
    """Address for people, with the ingress' port."""
    host: str
    """Host name of its Ingress."""
    ingress_class: str
    """IngressClass."""
    cluster_issuer: str | None
    """cert-manager's issuer of the certificate; None: plain HTTP."""
    plugins: Sequence[str]
    """``NAME:VERSION`` of every plugin."""
    scripts: Mapping[str, str]
    """Name -> configuration script."""
    admin_secret: Input[str]
    """Name of the Secret with ``username`` and ``password`` of the administrator."""
    secrets: Input[str]
    """Name of the Secret whose files the scripts refer to."""
    secrets_version: Input[str]
    """Changes with both; then the controller restarts."""
    deploy_secret: Input[str] | None
    """Name of the Secret with ``username`` and ``password`` to read a GitLab's project with; None: no login."""
    storage_class: str
    """StorageClass of its home."""
    storage_gib: int
    """Size of its home."""
    memory_mib: int
    """Memory limit of the controller."""
    host_aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Address -> host names that the cluster's DNS does not know."""
    own_ca: bool = False
    """Whether the issuer of logins has a certificate of our own CA, which Java must then be told to trust."""
    authorities: str | None = None
    """Changes with the authorities in the namespace's ConfigMap; absent: the public ones only."""


class Jenkins(ComponentResource):
    """The chart's controller on a volume of ours, and its right to make pods in two other namespaces, not its own."""

    service: Output[str]
    """Name of its Service, known once the controller is ready: jobs and triggers are there then."""

    def __init__(self, name: str, args: JenkinsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:ci:Jenkins", name, {}, opts)
        child = ResourceOptions(parent=self)
        volume = Volume(
            f"{name}-home",
            VolumeArgs(
                namespace=args.namespace,
                labels=labels("ci", name),
                storage_class=args.storage_class,
                storage_gib=args.storage_gib,
            ),
            opts=child,
        )
        rights = self._rights_for_reviews(name, args)
        installed = release(
            name,
            PIN,
            namespace=args.namespace,
            values=_values(args, volume.claim),
            parent=self,
            depends_on=rights,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        self.service = installed.name.apply(str)
        self.register_outputs({"service": self.service})

    def _rights_for_reviews(self, name: str, args: JenkinsArgs) -> list[Resource]:
        """Declare what the chart declares for the builders' namespace (its rbac.yaml), for the other one."""
        metadata: ObjectMetaArgsDict = {
            "name": f"{name}-schedule-reviews",
            "namespace": args.reviews_namespace,
            "labels": labels("ci", name),
        }
        role = k8s.rbac.v1.Role(
            f"{name}-reviews-role",
            metadata=metadata,
            rules=[
                {
                    "api_groups": [""],
                    "resources": ["pods", "pods/exec"],
                    "verbs": ["get", "list", "watch", "create", "delete"],
                },
                {"api_groups": [""], "resources": ["pods/log", "events"], "verbs": ["get", "list", "watch"]},
            ],
            opts=ResourceOptions(parent=self),
        )
        binding = k8s.rbac.v1.RoleBinding(
            f"{name}-reviews-binding",
            metadata=metadata,
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": role.metadata["name"]},
            subjects=[{"kind": "ServiceAccount", "name": JENKINS, "namespace": args.namespace}],
            opts=ResourceOptions(parent=self),
        )
        return [role, binding]


def _values(args: JenkinsArgs, claim: Input[str]) -> dict[str, Any]:
    container_security = {
        "runAsUser": USER,
        "runAsGroup": USER,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    deploy_keys = ("username", "password") if args.deploy_secret is not None else ()
    java = ["-XX:MaxRAMPercentage=60"]
    extra: dict[str, Any] = {}
    volumes: list[dict[str, Any]] = []
    mounts: list[dict[str, Any]] = []
    if args.own_ca or args.authorities:
        java += [f"-Djavax.net.ssl.trustStore={TRUST}/cacerts", "-Djavax.net.ssl.trustStoreType=JKS"]
        volumes = [{"name": "trust", "emptyDir": {}}]
        mounts = [{"name": "trust", "mountPath": TRUST}]
        extra["customInitContainers"] = [_trust(args, container_security)]
    if args.own_ca:
        volumes.append({"name": "authority", "secret": {"secretName": f"{JENKINS}-tls", "items": [_CA_FILE]}})
    if args.authorities:
        volumes.append(authorities.VOLUME)
        extra["containerEnv"] = [{"name": "GIT_SSL_CAINFO", "value": _GIT_TRUST}]
    if args.host_aliases:
        extra["hostAliases"] = [{"ip": ip, "hostnames": list(names)} for ip, names in args.host_aliases.items()]
    annotations = {"pulumi.com/skipAwait": "true"}
    if args.cluster_issuer:
        annotations["cert-manager.io/cluster-issuer"] = args.cluster_issuer
        tls: list[dict[str, Any]] = [{"hosts": [args.host], "secretName": f"{JENKINS}-tls"}]
    else:
        tls = []
    return {
        "controller": {
            "image": {"pullPolicy": "IfNotPresent"},
            # createSecret stays true: without it the chart does not mount the Secret that it is told to use.
            "admin": {
                "createSecret": True,
                "existingSecret": args.admin_secret,
                "userKey": "username",
                "passwordKey": "password",
            },
            "existingSecret": args.secrets,
            "additionalExistingSecrets": [{"name": DEPLOY_SECRET, "keyName": key} for key in deploy_keys],
            "podAnnotations": {SECRETS_VERSION: args.secrets_version, **authorities.annotations(args.authorities)},
            "jenkinsUrl": f"{args.url}/",
            "servicePort": JENKINS_PORT,
            "targetPort": JENKINS_PORT,
            "agentListenerPort": AGENT_PORT,
            "installPlugins": list(args.plugins),
            "installLatestPlugins": False,
            "installLatestSpecifiedPlugins": False,
            "overwritePlugins": True,
            # All of the configuration is ours; the chart's own would define the same keys again, which is an error.
            "JCasC": {
                "defaultConfig": False,
                "overwriteConfiguration": True,
                "configScripts": dict(args.scripts),
            },
            "sidecars": {
                "configAutoReload": {
                    "enabled": True,
                    "resources": _plain(resources(cpu_millicores=100, memory_mib=128)),
                    "containerSecurityContext": {**container_security, "runAsUser": USER},
                }
            },
            "javaOpts": " ".join(java),
            "resources": _plain(resources(cpu_millicores=2000, memory_mib=args.memory_mib)),
            "initContainerResources": _plain(resources(cpu_millicores=2000, memory_mib=1024)),
            "podSecurityContextOverride": {
                "runAsUser": USER,
                "runAsGroup": USER,
                "runAsNonRoot": True,
                "fsGroup": USER,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containerSecurityContext": container_security,
            # The first start of a full set of plugins takes minutes.
            "probes": {"startupProbe": {"failureThreshold": 60}},
            "ingress": {
                "enabled": True,
                "ingressClassName": args.ingress_class,
                "hostName": args.host,
                "annotations": annotations,
                "tls": tls,
            },
            "testEnabled": False,
            **extra,
        },
        "agent": {"namespace": args.builds_namespace},
        "rbac": {"create": True},
        "serviceAccount": {"create": True, "name": JENKINS},
        "serviceAccountAgent": {"create": False},
        "persistence": {"enabled": True, "existingClaim": claim, "volumes": volumes, "mounts": mounts},
    }


_CA_FILE = {"key": "ca.crt", "path": "ca.crt"}


_GIT_TRUST = f"{TRUST}/bundle.crt"
"""The image's own list and ours, for Git."""


def _trust(args: JenkinsArgs, security: Mapping[str, Any]) -> dict[str, Any]:
    """Return what gives Java its own list of authorities and ours; a JKS file can be read without a password."""
    known = f"-keystore {TRUST}/cacerts -storepass changeit"
    script = (
        f"rm -f {TRUST}/cacerts"
        f' && keytool -importkeystore -noprompt -srckeystore "$JAVA_HOME/lib/security/cacerts" -srcstorepass changeit'
        f" -destkeystore {TRUST}/cacerts -deststoretype JKS -deststorepass changeit"
    )
    mounts: list[dict[str, Any]] = [{"name": "trust", "mountPath": TRUST}]
    if args.own_ca:
        script += f" && keytool -importcert -noprompt -alias aihub -file /var/authority/ca.crt {known}"
        mounts.append({"name": "authority", "mountPath": "/var/authority", "readOnly": True})
    if args.authorities:
        # One by one: of a file with several keytool takes the first.
        script += (
            f" && for file in {authorities.FOLDER}/*.pem; do"
            f' keytool -importcert -noprompt -alias "$file" -file "$file" {known} || exit 1; done'
            f" && cat /etc/ssl/certs/ca-certificates.crt {authorities.FILE} > {_GIT_TRUST}"
        )
        mounts.append(authorities.MOUNT)
    return {
        "name": "trust",
        # The controller's own image, under the name that the chart works out.
        "image": "{{ .Values.controller.image.registry }}/{{ .Values.controller.image.repository }}:"
        '{{ include "controller.image.tag" . }}',
        "command": ["sh", "-c", script],
        "securityContext": dict(security),
        "resources": _plain(resources(cpu_millicores=500, memory_mib=256)),
        "volumeMounts": mounts,
    }


def _plain(declared: Any) -> dict[str, Any]:
    """Return typed resources as the plain object that a chart takes."""
    return dict(declared)
