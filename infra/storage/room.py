"""From the configuration of storage to what provides the volumes."""

import pulumi

from infra.config.storage import BackupsConfig, LocalPathConfig, LonghornConfig, SchedulesConfig
from infra.secrets.files import SecretFiles, declare_secret
from infra.site import Site
from infra.storage.local_path import LocalPath, LocalPathArgs
from infra.storage.longhorn import Longhorn, LonghornArgs
from infra.storage.plan import COMPONENT, LONGHORN
from infra.storage.recurring import jobs
from infra.storage.schedules import Schedules, SchedulesArgs, group


def declare(site: Site) -> None:
    """Declare the provisioner that the stack asks for, or what the cluster's does to its volumes."""
    if local_path := site.stack.storage.local_path:
        _local_path(site, local_path)
    if longhorn := site.stack.storage.longhorn:
        _longhorn(site, longhorn)
    if schedules := site.stack.storage.schedules:
        _schedules(site, schedules)


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
            node_down=config.node_down_pod_deletion_policy,
            jobs=jobs(config.snapshots, config.backups),
            backup_target=backups.target if backups else None,
            backup_secret=account.secret if account else None,
        ),
        opts=site.options,
    )


def _schedules(site: Site, config: SchedulesConfig) -> None:
    its_group = group(pulumi.get_stack())
    Schedules(
        "longhorn-schedules",
        SchedulesArgs(
            namespace=config.namespace,
            group=its_group,
            jobs=jobs(config.snapshots, config.backups, prefix=f"{its_group}-"),
        ),
        opts=site.options,
    )


def _backup_account(site: Site, backups: BackupsConfig) -> SecretFiles:
    """Declare the Secret with the account of the S3 service, under the names that Longhorn looks for."""
    endpoint = {"AWS_ENDPOINTS": backups.endpoint} if backups.endpoint else {}
    keys = {"AWS_ACCESS_KEY_ID": "${backupAccessKey}", "AWS_SECRET_ACCESS_KEY": "${backupSecretKey}"}
    authorities = site.stack.network.authorities
    trust = {"AWS_CERT": authorities} if authorities else {}  # beside the public ones
    return declare_secret(site, "storage", "longhorn-backup-account", "storage", {**keys, **endpoint, **trust})
