"""A stack's configuration: typed, strict, read in one place."""

from infra.config.load import ROOMS, SECRET_KEYS, ConfigError, Secrets, load, parse, required_secrets
from infra.config.stack import StackConfig

__all__ = ["ROOMS", "SECRET_KEYS", "ConfigError", "Secrets", "StackConfig", "load", "parse", "required_secrets"]
