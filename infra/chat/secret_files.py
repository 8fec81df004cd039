"""Which secrets the chat's pods read, as files."""

from infra.chat.names import LOGIN_CLIENT, LOGIN_SECRET_FILE, SECRET_FILES
from infra.config import StackConfig
from infra.network.login import login_of


def secret_files(stack: StackConfig) -> dict[str, str]:
    """Return file -> template of the Secret ``chat-secrets``."""
    files = dict(SECRET_FILES)
    login = login_of(stack)
    if login and LOGIN_CLIENT in login.clients:
        files[LOGIN_SECRET_FILE] = f"${{{login.secret_key(LOGIN_CLIENT)}}}"
    if stack.chat.api.rollout != "rolling":
        # What asks a new version how it does has a key of its own.
        files["api-key-sha256"] += "${analysisKeySha256}\n"
    return files
