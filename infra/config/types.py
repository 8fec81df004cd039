"""Domain types of the configuration, each named once. No message quotes the value it refuses."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

_ALWAYS_MOVING = {"latest", "snapshot"}
_MOVING = {"main", "master", "trunk", "head", "stable", "edge", "nightly", "dev", "develop"}

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_IMAGE = re.compile(
    r"[a-z0-9]+([._-][a-z0-9]+)*(:[0-9]{1,5})?(/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)*"
    r"(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?P<digest>@sha256:[0-9a-f]{64})?"
)
_REVISION = re.compile(r"[0-9a-f]{40}")
_MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_URL_PATH = re.compile(r"/|(/[A-Za-z0-9._-]+)+")
_VAULT_PATH = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_CRON_FIELD = r"[0-9*,/-]+"
_CRON = re.compile(rf"{_CRON_FIELD}( {_CRON_FIELD}){{4}}")


def is_floating(tag: str) -> bool:
    """Say whether a tag names another image tomorrow, as far as its words tell: main-latest, 1.0-SNAPSHOT, develop.

    With a number (`nightly-20261125`, `main-3f2a1c9`) a branch's name says where an image is from. Whether `v1` or `17`
    moves is its publisher's habit: only a digest is sure.
    """
    words = set(re.split(r"[-._]", tag.lower()))
    return bool(words & _ALWAYS_MOVING) or (bool(words & _MOVING) and not any(map(str.isdecimal, tag)))


class Section(BaseModel):
    """Base of every section: unknown fields are errors, nothing changes after loading, keys are camelCase."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, hide_input_in_errors=True)


def _dns_label(value: str) -> str:
    if not _LABEL.fullmatch(value):
        raise ValueError("must be a DNS label: lower-case letters, digits and '-', at most 63, e.g. aihub-data")
    return value


def _host_name(value: str) -> str:
    if len(value) > 253 or "." not in value or not all(_LABEL.fullmatch(part) for part in value.split(".")):
        raise ValueError("must be a host name of at least two lower-case labels, e.g. chat.example.com")
    return value


def _registry_host(value: str) -> str:
    host, _, port = value.partition(":")
    if not all(_LABEL.fullmatch(part) for part in host.split(".")) or (
        ":" in value and not (port.isdecimal() and 0 < int(port) < 65536)
    ):
        raise ValueError("must be HOST or HOST:PORT without a scheme, e.g. registry.local:5000")
    return value


def _pinned_image(value: str) -> str:
    match = _IMAGE.fullmatch(value)
    if not match:
        raise ValueError("must be an image reference, e.g. docker.io/library/redis:7.4.2")
    if match["digest"]:
        return value
    if not match["tag"]:
        raise ValueError("must name a tag or a digest; without one the image changes by itself")
    if is_floating(match["tag"]):
        raise ValueError("must not use a floating tag (latest, main, stable ...); name a version or a digest")
    return value


def _https_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", value):
        raise ValueError("must be an http(s) URL without credentials in it")
    return value


def _pattern(pattern: re.Pattern[str], message: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(message)
        return value

    return AfterValidator(check)


DnsLabel = Annotated[str, AfterValidator(_dns_label)]
"""Name of a namespace or of another object that becomes part of a DNS name."""
HostName = Annotated[str, AfterValidator(_host_name)]
"""Fully qualified name under which people reach something."""
RegistryHost = Annotated[str, AfterValidator(_registry_host)]
"""Address of an image registry as it stands in image references."""
Image = Annotated[str, AfterValidator(_pinned_image)]
"""Image reference that means the same image tomorrow: a version tag or a digest."""
Url = Annotated[str, AfterValidator(_https_url)]
"""Web address; credentials have their own, secret, place."""
Cron = Annotated[str, _pattern(_CRON, "must be a cron schedule of five fields, e.g. 0 4 * * 0")]
"""Time of a CronJob, in the cluster's time zone."""
Revision = Annotated[str, _pattern(_REVISION, "must be a full commit hash (40 hex digits); a branch moves")]
"""Git commit."""
Identifier = Annotated[str, _pattern(_IDENTIFIER, "must be lower-case letters, digits and '_', e.g. aipp")]
"""Name of a database or of an account in one."""
UrlPath = Annotated[str, _pattern(_URL_PATH, "must be a path of a web address without an end slash, e.g. /healthz")]
"""Path below a host name."""
VaultPath = Annotated[str, _pattern(_VAULT_PATH, "must be a path without slashes at its ends, e.g. aipp/services")]
"""Entry below a store's mount in Vault."""
ModelId = Annotated[str, _pattern(_MODEL_ID, "must be ORGANISATION/NAME as on the model hub, e.g. Qwen/Qwen3-4B")]
"""Repository of a model on the hub."""

Gib = Annotated[int, Field(ge=1, le=65536, strict=True)]
"""Size in GiB."""
Mib = Annotated[int, Field(ge=32, le=4194304, strict=True)]
"""Size in MiB."""
Millicores = Annotated[int, Field(ge=10, le=1024000, strict=True)]
"""Share of processors, in thousandths of one."""
