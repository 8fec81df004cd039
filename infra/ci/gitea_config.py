"""Gitea's own configuration file (docs.gitea.com/administration/config-cheat-sheet)."""

from collections.abc import Mapping, Sequence

from infra.ci.git import GITEA_PORT

DATA = "/var/lib/gitea"
CONFIG_FOLDER = "/etc/gitea"
CONFIG_FILE = f"{CONFIG_FOLDER}/app.ini"
SECRETS = "/etc/gitea-secrets"

SECRET_FILES: Mapping[str, str] = {
    "secret-key": "${giteaSecretKey}",
    "internal-token": "${giteaInternalToken}",
    "signing-key": "${giteaSigningKey}",
    "admin-password": "${gitAdminPassword}",
    "robot-password": "${gitRobotPassword}",
}
"""Files of the server's Secret."""


def configuration(*, address: str, webhook_hosts: Sequence[str], is_https: bool) -> str:
    """Return ``app.ini``: one process, SQLite, HTTP only, nobody registers, nothing is set up by hand.

    The file is read-only in the pod. Gitea 1.24 would write into it by itself: INTERNAL_TOKEN, JWT_SECRET (even with
    OAuth2 off: modules/setting/oauth2.go), WORK_PATH, and LFS_JWT_SECRET. The first two come from files, the third
    stands here, LFS is off.

    Args:
        address: by which it names itself in what it sends; on its pages it goes by the host that people asked for.
        webhook_hosts: the only hosts that webhooks may call; Gitea's default refuses addresses of a cluster.
        is_https: whether people reach it over HTTPS only.
    """
    hosts = ",".join(webhook_hosts)
    sections: dict[str, dict[str, str]] = {
        "": {"APP_NAME": "aihub", "RUN_MODE": "prod", "WORK_PATH": DATA},
        "server": {
            "PROTOCOL": "http",
            "HTTP_PORT": str(GITEA_PORT),
            "ROOT_URL": f"{address}/",
            "PUBLIC_URL_DETECTION": "auto",
            "STATIC_ROOT_PATH": "/usr/share/gitea",
            "DISABLE_SSH": "true",
            "LFS_START_SERVER": "false",
            "OFFLINE_MODE": "true",
        },
        "database": {"DB_TYPE": "sqlite3", "PATH": f"{DATA}/data/gitea.db", "SQLITE_JOURNAL_MODE": "WAL"},
        "repository": {"ROOT": f"{DATA}/repositories", "DEFAULT_BRANCH": "main", "DISABLE_STARS": "true"},
        "security": {
            "INSTALL_LOCK": "true",
            "SECRET_KEY_URI": f"file:{SECRETS}/secret-key",
            "INTERNAL_TOKEN_URI": f"file:{SECRETS}/internal-token",
            "PASSWORD_HASH_ALGO": "pbkdf2_v2",
            # From 1.27 on here, for all that it fetches by itself (it mirrors and imports nothing), and webhooks, too.
            "ALLOWED_HOST_LIST": hosts,
        },
        "service": {"DISABLE_REGISTRATION": "true", "ENABLE_NOTIFY_MAIL": "false"},
        "oauth2": {"ENABLED": "false", "JWT_SECRET_URI": f"file:{SECRETS}/signing-key"},
        # Up to 1.26 here alone; 1.27 takes it still and warns, 28 no more (its modules/setting/webhook.go).
        "webhook": {"ALLOWED_HOST_LIST": hosts, "DELIVER_TIMEOUT": "15"},
        "actions": {"ENABLED": "false"},
        "packages": {"ENABLED": "false"},
        "indexer": {"ISSUE_INDEXER_TYPE": "db"},
        "log": {"MODE": "console", "LEVEL": "Info"},
        "session": {"PROVIDER": "db", "COOKIE_SECURE": str(is_https).lower()},
        "cron.update_checker": {"ENABLED": "false"},
    }
    return "\n".join(
        line
        for name, entries in sections.items()
        for line in (*([f"[{name}]"] if name else []), *(f"{key} = {value}" for key, value in entries.items()), "")
    )


ACCOUNTS = f"""set -eu
gitea migrate --config {CONFIG_FILE}
ensure() {{
    password=$(cat "{SECRETS}/$2")
    if gitea admin user list --config {CONFIG_FILE} | awk '{{print $2}}' | grep -qx "$1"; then
        gitea admin user change-password --config {CONFIG_FILE} \\
            --username "$1" --password="$password" --must-change-password=false
    else
        gitea admin user create --config {CONFIG_FILE} --username "$1" --password="$password" \\
            --email "$1@noreply.invalid" --must-change-password=false $3
    fi
}}
"""
"""Shell: brings the database up to date; ``ensure NAME FILE [--admin]`` makes an account or gives it its password."""
