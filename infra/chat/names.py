"""What others must know of the chat before it is declared."""

from collections.abc import Mapping
from pathlib import Path

from pulumi import Input, Output

PORT = 8000
METRICS_PORT = 9090
PAGE_PORT = 8080
"""Of the page's own pods: below 1024 a process without rights may not listen."""
SECRETS = "chat-secrets"
"""Name of the Secret of the chat's pods."""
ANALYSIS_SECRET = "api-analysis"  # noqa: S105 - the name of a Secret
"""Name of the Secret with the key that a new version of the api is asked with."""
SECRETS_FOLDER = "/etc/chatbot/secrets"
MODELS_FOLDER = "/models"

API, ENGINE, PAGE = "api", "engine", "page"
"""Components, and their Services."""
MODEL_STORE, MODEL_DOWNLOAD, MODEL_PRUNE = "models", "models-download", "models-prune"
DOWNLOAD_SCRIPT = Path(__file__).with_name("download_model.py")
PRUNE_SCRIPT = Path(__file__).with_name("prune_models.py")

CERTIFICATE = "chat-tls"
"""Secret with the certificate of the chat's host name, and in ``ca.crt`` of who signed it."""
LOGIN_CLIENT = "chat"
"""The chat's name at the issuer of logins."""
LOGIN_SECRET_FILE = "login-client-secret"  # noqa: S105 - the name of a file

SECRET_FILES: Mapping[str, str] = {
    "redis-password": "${redisPassword}",
    "engine-key": "${engineKey}",
    "api-key-sha256": "${apiKeySha256}\n",
}
"""Files of that Secret, in every stack."""

API_PATHS = ("/api", "/livez", "/login", "/readyz", "/v1")
"""What the api answers where the page has pods of its own; each with everything below it."""


def engine_url(service: Input[str], namespace: Input[str]) -> Output[str]:
    """Return the base URL of an engine inside the cluster."""
    return Output.concat("http://", service, ".", namespace, f".svc:{PORT}/v1")
