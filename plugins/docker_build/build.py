"""What is to be built: a resource's inputs as one plain value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plugins.protocol.provider import Properties
from plugins.protocol.values import UNKNOWN, Secret, has_unknown, reveal

_UNSUPPORTED = ("cacheFrom", "cacheTo", "exports", "ssh", "load")


@dataclass(frozen=True, kw_only=True)
class Login:
    """Credentials of one registry."""

    address: str
    username: str
    password: str


@dataclass(frozen=True, kw_only=True)
class Build:
    """One image to build, and where it goes."""

    context: Path
    """Folder whose files the build may use."""
    dockerfile: Path | None
    """Recipe on disk; None: it is ``inline``."""
    inline: str = ""
    """Recipe as text."""
    named_contexts: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    push: bool = False
    target: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Texts that build steps may mount; they reach no layer."""
    hosts: Sequence[str] = ()
    """Further ``name:address`` pairs."""
    network: str = ""
    """``none`` or ``host``; empty: the builder's own way."""
    platforms: Sequence[str] = ()
    no_cache: bool = False
    pull: bool = False
    """Look for newer base images."""
    logins: Sequence[Login] = ()


def build_from(inputs: Properties) -> Build:
    """Return the build that known inputs ask for; the vendor's defaults apply."""
    plain: dict[str, Any] = reveal(inputs)
    context = plain.get("context") or {}
    recipe = plain.get("dockerfile") or {}
    location = Path(context.get("location") or ".")
    inline = recipe.get("inline") or ""
    network = plain.get("network") or ""
    return Build(
        context=location,
        dockerfile=None if inline else Path(recipe.get("location") or location / "Dockerfile"),
        inline=inline,
        named_contexts={name: each["location"] for name, each in (context.get("named") or {}).items()},
        tags=plain.get("tags") or (),
        push=bool(plain.get("push")),
        target=plain.get("target") or "",
        arguments=plain.get("buildArgs") or {},
        labels=plain.get("labels") or {},
        secrets=plain.get("secrets") or {},
        hosts=plain.get("addHosts") or (),
        network="" if network == "default" else network,
        platforms=plain.get("platforms") or (),
        no_cache=bool(plain.get("noCache")),
        pull=bool(plain.get("pull")),
        logins=tuple(
            Login(address=each["address"], username=each.get("username") or "", password=each.get("password") or "")
            for each in plain.get("registries") or ()
        ),
    )


def failures_in(inputs: Properties) -> dict[str, str]:
    """Return what is wrong with the inputs, by property; parts that are not yet known are taken to be right."""
    failures = {
        name: "not part of this stand-in; it needs the vendor's plugin" for name in _UNSUPPORTED if inputs.get(name)
    }
    if inputs.get("push") is True and not inputs.get("tags"):
        failures["tags"] = "an image that is pushed needs a tag with its registry, such as registry.local:5000/name:1"
    for index, tag in enumerate(_known_list(inputs.get("tags"))):
        if not is_reference(tag):
            failures[f"tags[{index}]"] = f"{tag!r} is no image name (registry/name:tag, in lower case)"
    if has_unknown(inputs.get("context")) or has_unknown(inputs.get("dockerfile")):
        return failures
    build = build_from({key: inputs.get(key) for key in ("context", "dockerfile")})
    if not build.context.is_dir():
        failures["context.location"] = f"{build.context} is not a folder (looked for in {Path.cwd()})"
    elif build.dockerfile is not None and not build.dockerfile.is_file():
        failures["dockerfile.location"] = f"{build.dockerfile} is not a file (looked for in {Path.cwd()})"
    return failures


def _known_list(value: Any) -> list[str]:
    items = value.value if isinstance(value, Secret) else value
    return [each for each in items if each is not UNKNOWN] if isinstance(items, list) else []


def is_reference(tag: str) -> bool:
    """Return whether the text can name an image."""
    name, _, version = tag.rpartition(":")
    if not name or "/" in version:
        name, version = tag, "latest"
    _, _, path = name.rpartition("/")
    return bool(path) and not tag.startswith(("/", "-")) and " " not in tag and path == path.lower() and bool(version)


def is_qualified(tag: str) -> bool:
    """Return whether the first part of an image name is a registry, by Docker's rule."""
    first, slash, _ = tag.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


def with_digest(tag: str, digest: str) -> str:
    """Return ``name:tag@digest``; a name without a tag is ``latest``."""
    tagged = tag if ":" in tag.rpartition("/")[2] else f"{tag}:latest"
    return f"{tagged}@{digest}"
