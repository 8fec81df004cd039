"""From the configuration of storage to what provides the volumes."""

from infra.cluster import labels
from infra.config.storage import BackupsConfig, LocalPathConfig, LonghornConfig
from infra.secrets.files import SecretFiles, SecretFilesArgs
from infra.site import Site
from infra.storage.local_path import LocalPath, LocalPathArgs
from infra.storage.longhorn import Longhorn, LonghornArgs, RecurringJob
from infra.storage.plan import COMPONENT, LONGHORN


def declare(site: Site) -> None:
    """Declare the provisioner that the stack asks for; nothing where the cluster has one."""
    if local_path := site.stack.storage.local_path:
        _local_path(site, local_path)
    if longhorn := site.stack.storage.longhorn:
        _longhorn(site, longhorn)


def _local_path(site: Site, config: LocalPathConfig) -> None:
    LocalPath(
        COMPONENT,
        LocalPathArgs(
            namespace=site.namespaces["storage"],
            storage_class=site.stack.storage.storage_class,
            image=config.image,
            helper_image=config.helper_image,
            folder=config.folder,
        ),
        opts=site.options,
    )


def _longhorn(site: Site, config: LonghornConfig) -> None:
    backups = config.backups
    account = _backup_account(site, backups) if backups and backups.is_s3 else None
    Longhorn(
        LONGHORN,
        LonghornArgs(
            namespace=site.namespaces["storage"],
            data_path=config.data_path,
            replicas=config.replicas,
            removable=config.removable,
            jobs=_jobs(config),
            backup_target=backups.target if backups else None,
            backup_secret=account.secret if account else None,
        ),
        opts=site.options,
    )


def _jobs(config: LonghornConfig) -> tuple[RecurringJob, ...]:
    jobs = []
    if snapshots := config.snapshots:
        jobs.append(RecurringJob(name="snapshots", task="snapshot", schedule=snapshots.schedule, kept=snapshots.kept))
    if backups := config.backups:
        jobs.append(RecurringJob(name="backups", task="backup", schedule=backups.schedule, kept=backups.kept))
    return tuple(jobs)


def _backup_account(site: Site, backups: BackupsConfig) -> SecretFiles:
    """Declare the Secret with the account of the S3 service, under the names that Longhorn looks for."""
    name = "longhorn-backup-account"
    endpoint = {"AWS_ENDPOINTS": backups.endpoint} if backups.endpoint else {}
    return SecretFiles(
        name,
        SecretFilesArgs(
            namespace=site.namespaces["storage"],
            labels=labels("storage", name),
            files={
                "AWS_ACCESS_KEY_ID": "${backupAccessKey}",
                "AWS_SECRET_ACCESS_KEY": "${backupSecretKey}",
                **endpoint,
            },
            values=site.secrets.values,
            vault=site.stack.secrets.vault,
        ),
        opts=site.options,
    )
