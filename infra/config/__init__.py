"""A stack's configuration: typed, strict, read in one place."""

from infra.config.load import ROOMS, ConfigError, Secrets, load, parse
from infra.config.secret_keys import SECRET_KEYS, required_secrets
from infra.config.stack import StackConfig

__all__ = ["ROOMS", "SECRET_KEYS", "ConfigError", "Secrets", "StackConfig", "load", "parse", "required_secrets"]
