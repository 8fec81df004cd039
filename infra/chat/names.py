"""What others must know of the chat before it is declared."""

from collections.abc import Mapping

PORT = 8000
METRICS_PORT = 9090
SECRETS = "chat-secrets"
"""Name of the Secret of the chat's pods."""
SECRETS_FOLDER = "/etc/chatbot/secrets"
MODELS_FOLDER = "/models"

SECRET_FILES: Mapping[str, str] = {
    "redis-password": "${redisPassword}",
    "engine-key": "${engineKey}",
    "api-key-sha256": "${apiKeySha256}\n",
}
"""Files of that Secret."""


def model_folder(model_id: str, revision: str) -> str:
    """Return where a revision of a model lies in the engine's container."""
    return f"{MODELS_FOLDER}/{model_id.replace('/', '--')}/{revision[:12]}"
