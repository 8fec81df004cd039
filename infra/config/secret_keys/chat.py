"""Secrets of the chat."""

from infra.config.secret_keys.row import Derivation, Hash, Origin, SecretKey, unless_in_vault

CHAT = (
    SecretKey(name="redisPassword", purpose="the api to Redis", is_needed=unless_in_vault()),
    SecretKey(name="engineKey", purpose="the api to its engine", is_needed=unless_in_vault()),
    SecretKey(
        name="apiKeySha256",
        purpose="people and programs to the api; the hash is all that the cluster gets",
        is_needed=unless_in_vault(),
        origin=Origin.DERIVED,
        derivation=Derivation(source="apiKey", hash=Hash.SHA256),
    ),
)
