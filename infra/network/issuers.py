"""Who signs certificates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, ResourceOptions

from infra.cluster import labels
from infra.config.certificates import AcmeConfig, Dns01Config
from infra.network.names import CA_SECRET

API_VERSION = "cert-manager.io/v1"
HOURS_PER_YEAR = 8766
ACME_ACCOUNT = "acme-account"
"""Secret with the key of our account at the public authority."""
DNS_SECRET_FILE = "secret"  # noqa: S105 - the name of a file


@dataclass(frozen=True, kw_only=True)
class OwnCaArgs:
    """What an :class:`OwnCa` needs from its caller."""

    namespace: Input[str]
    """Namespace of cert-manager, which alone may read the root's key."""
    domains: Sequence[str]
    """Domains that the root may sign for, with all below them; machines that trust it trust it for nothing else."""
    years: int
    """Life of the root."""


class OwnCa(ComponentResource):
    """A root certificate of our own, and the ClusterIssuer (named like the component) that signs with it."""

    def __init__(self, name: str, args: OwnCaArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:network:OwnCa", name, {}, opts)
        its_labels = labels("network", name)
        child = ResourceOptions(parent=self)
        self_signed = k8s.apiextensions.CustomResource(
            f"{name}-self-signed",
            api_version=API_VERSION,
            kind="Issuer",
            metadata={"name": "self-signed", "namespace": args.namespace, "labels": its_labels},
            spec={"selfSigned": {}},
            opts=child,
        )
        root = k8s.apiextensions.CustomResource(
            f"{name}-root",
            api_version=API_VERSION,
            kind="Certificate",
            metadata={"name": CA_SECRET, "namespace": args.namespace, "labels": its_labels},
            spec=root_certificate(args.domains, args.years),
            opts=ResourceOptions(parent=self, depends_on=[self_signed]),
        )
        k8s.apiextensions.CustomResource(
            f"{name}-issuer",
            api_version=API_VERSION,
            kind="ClusterIssuer",
            metadata={"name": name, "labels": its_labels},
            spec={"ca": {"secretName": CA_SECRET}},
            opts=ResourceOptions(parent=self, depends_on=[root]),
        )
        self.register_outputs({})


def root_certificate(domains: Sequence[str], years: int) -> dict[str, Any]:
    """Return the spec of the root's Certificate.

    Its Secret outlives ``destroy`` with its namespace, and the next ``up`` takes it over: machines trust it already.
    """
    return {
        "isCA": True,
        "commonName": f"aihub root for {domains[0]}",
        "subject": {"organizations": ["aihub"]},
        "secretName": CA_SECRET,
        "duration": f"{years * HOURS_PER_YEAR}h",
        # A renewed root must be handed to every machine again, so there is time for it; the key stays the same.
        "renewBefore": f"{HOURS_PER_YEAR // 4}h",
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"},
        "nameConstraints": {"critical": True, "permitted": {"dnsDomains": list(domains)}},
        "issuerRef": {"group": "cert-manager.io", "kind": "Issuer", "name": "self-signed"},
    }


@dataclass(frozen=True, kw_only=True)
class AcmeIssuerArgs:
    """What an :class:`AcmeIssuer` needs from its caller."""

    acme: AcmeConfig
    """The public authority, and who keeps our zone."""
    secret: Input[str]
    """Name of the Secret, in cert-manager's namespace, with the file ``secret`` for the keeper of the zone."""


class AcmeIssuer(ComponentResource):
    """The ClusterIssuer (named like the component) that asks a public authority, by records in our DNS zone."""

    def __init__(self, name: str, args: AcmeIssuerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:network:AcmeIssuer", name, {}, opts)
        k8s.apiextensions.CustomResource(
            f"{name}-issuer",
            api_version=API_VERSION,
            kind="ClusterIssuer",
            metadata={"name": name, "labels": labels("network", name)},
            spec={
                "acme": {
                    "email": args.acme.email,
                    "server": args.acme.server,
                    "privateKeySecretRef": {"name": ACME_ACCOUNT},
                    "solvers": [{"dns01": solver(args.acme.dns01, args.secret)}],
                }
            },
            opts=ResourceOptions(parent=self),
        )
        self.register_outputs({})


def solver(dns01: Dns01Config, secret: Input[str]) -> dict[str, Any]:
    """Return how cert-manager writes a record into our zone."""
    key = {"name": secret, "key": DNS_SECRET_FILE}
    if dns01.route53:
        return {
            "route53": {
                "region": dns01.route53.region,
                "hostedZoneID": dns01.route53.hosted_zone_id,
                "accessKeyID": dns01.route53.access_key_id,
                "secretAccessKeySecretRef": key,
            }
        }
    if dns01.rfc2136:
        return {
            "rfc2136": {
                "nameserver": dns01.rfc2136.nameserver,
                "tsigKeyName": dns01.rfc2136.tsig_key_name,
                "tsigAlgorithm": dns01.rfc2136.tsig_algorithm,
                "tsigSecretSecretRef": key,
                "protocol": "TCP",
            }
        }
    return {"cloudflare": {"apiTokenSecretRef": key}}
