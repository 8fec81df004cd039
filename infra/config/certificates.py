"""Where certificates come from."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from infra.config.types import DnsLabel, Section, Url

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
"""Address of a person; also the name under which an issuer of our own knows somebody."""


class CloudflareConfig(Section):
    """A zone at Cloudflare; `aihub:acmeDnsSecret` is an API token that may edit it."""


class Route53Config(Section):
    """A zone at Amazon Route 53; `aihub:acmeDnsSecret` is the secret access key."""

    region: str
    """Region for the API's address, e.g. ``eu-central-1``."""
    hosted_zone_id: str
    """Zone, e.g. ``Z0123456789ABCDEFGHIJ``: then the key needs no right to list them."""
    access_key_id: str
    """Key that the secret belongs to."""


class Rfc2136Config(Section):
    """A zone of a name server that takes dynamic updates; `aihub:acmeDnsSecret` is the TSIG key, in base64."""

    nameserver: str
    """Address of the server, HOST or HOST:PORT."""
    tsig_key_name: str
    """Name of the key at the server."""
    tsig_algorithm: Literal["HMACSHA256", "HMACSHA512"] = "HMACSHA256"


class Dns01Config(Section):
    """Who keeps the domain's DNS zone: exactly one."""

    cloudflare: CloudflareConfig | None = None
    route53: Route53Config | None = None
    rfc2136: Rfc2136Config | None = None

    @model_validator(mode="after")
    def _one_keeper(self) -> "Dns01Config":
        if sum(keeper is not None for keeper in (self.cloudflare, self.route53, self.rfc2136)) != 1:
            raise ValueError("set exactly one of cloudflare, route53 and rfc2136")
        return self


class AcmeConfig(Section):
    """An authority on the internet that checks our DNS zone; nothing here needs to be reachable from there."""

    email: Email
    """Whom the authority writes to before a certificate runs out."""
    server: Url = "https://acme-v02.api.letsencrypt.org/directory"
    """Directory of the authority."""
    dns01: Dns01Config
    resolver: Url = "https://1.1.1.1/dns-query"
    """DNS over HTTPS, with which a record is seen to be public before the authority is asked to look."""


class CertificatesConfig(Section):
    """cert-manager and one issuer."""

    namespace: DnsLabel = "cert-manager"
    """Namespace of cert-manager, and of the keys of its issuers."""
    issuer: Literal["ownCa", "acme"]
    """``ownCa``: a root of our own, which people's machines must be told to trust; ``acme``: a public authority."""
    acme: AcmeConfig | None = None
    """The public authority."""
    ca_years: Annotated[int, Field(ge=1, le=30, strict=True)] = 10
    """Life of our own root; a new one must be handed to every machine again."""

    @model_validator(mode="after")
    def _acme_has_its_section(self) -> "CertificatesConfig":
        if (self.issuer == "acme") != (self.acme is not None):
            raise ValueError("issuer and acme do not fit: set acme with issuer: acme, and leave it out with ownCa")
        return self
