"""Secrets of the analysis that a new version of the api must pass."""

from infra.config.secret_keys.row import Derivation, Hash, Origin, SecretKey, unless_in_vault

_is_asked = unless_in_vault(lambda stack: stack.chat.api.rollout != "rolling")

ROLLOUT = (
    SecretKey(name="analysisKey", purpose="the analysis of a rollout to the new api", is_needed=_is_asked),
    SecretKey(
        name="analysisKeySha256",
        purpose="the same to the api, which gets the hash only",
        is_needed=_is_asked,
        origin=Origin.DERIVED,
        derivation=Derivation(source="analysisKey", hash=Hash.SHA256),
    ),
)
