"""Secrets of the volumes' backups."""

from infra.config.secret_keys.row import Origin, SecretKey, unless_in_vault
from infra.config.stack import StackConfig


def _is_on_s3(stack: StackConfig) -> bool:
    longhorn = stack.storage.longhorn
    return bool(longhorn and longhorn.backups and longhorn.backups.is_s3)


STORAGE = (
    SecretKey(
        name="backupAccessKey",
        purpose="Longhorn to the S3 service that backups go to: the account",
        is_needed=unless_in_vault(_is_on_s3),
        origin=Origin.GIVEN,
    ),
    SecretKey(
        name="backupSecretKey",
        purpose="Longhorn to the S3 service that backups go to: its key",
        is_needed=unless_in_vault(_is_on_s3),
        origin=Origin.GIVEN,
    ),
)
