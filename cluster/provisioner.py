"""``python -m cluster.provisioner``: gives claims of the default StorageClass a folder on this machine.

Claims are looked at every two seconds rather than watched: a node has tens of them, and a list needs no bookmarks, no
reconnecting and no second path for what happened in between.

Volumes are of type ``local``: unlike ``hostPath``, the kubelet gives such a folder to the pod's ``fsGroup``.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from cluster.settings import NAME, PROVISIONER

LOOK_SECONDS = 2.0
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
WANTED_FROM = "volume.kubernetes.io/storage-provisioner"
"""Set on a claim by the controller manager once its volume is to be made."""

Manifest = dict[str, Any]
Api = Any
"""The official client's classes: generated code without types of its own."""


def folder_name(claim: Manifest) -> str:
    """Return the name of a claim's folder: readable, and never that of an earlier claim of the same name."""
    metadata = claim["metadata"]
    return f"{metadata['namespace']}-{metadata['name']}-{metadata['uid']}"


def wants_volume(claim: Manifest) -> bool:
    """Say whether a claim waits for us."""
    return (
        (claim["metadata"].get("annotations") or {}).get(WANTED_FROM) == PROVISIONER
        and not claim["spec"].get("volumeName")
        and not claim["metadata"].get("deletionTimestamp")
    )


def volume(claim: Manifest, storage_class: Manifest, folder: Path) -> Manifest:
    """Return the PersistentVolume that answers ``claim``, already bound to it."""
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"pvc-{metadata['uid']}", "annotations": {PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": claim["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy") or "Delete",
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": "Filesystem",
            "local": {"path": str(folder)},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{key: metadata[key] for key in ("namespace", "name", "uid")},
            },
            "nodeAffinity": {
                "required": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}]}
                    ]
                }
            },
        },
    }


def is_ours_to_delete(found: Manifest) -> bool:
    """Say whether a volume's claim is gone and its data are to go too."""
    return (
        (found["metadata"].get("annotations") or {}).get(PROVISIONED_BY) == PROVISIONER
        and found["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
        and (found.get("status") or {}).get("phase") == "Released"
    )


def provision(core: Api, claim: Manifest, storage_class: Manifest, volumes: Path) -> None:
    """Make the folder and the volume of one claim."""
    folder = volumes / folder_name(claim)
    folder.mkdir(mode=0o770, parents=True, exist_ok=True)
    core.create_persistent_volume(volume(claim, storage_class, folder))
    print(f"made {folder}")


def remove(core: Api, found: Manifest, volumes: Path) -> None:
    """Remove the data and the volume of a claim that is gone; a path outside ``volumes`` is refused."""
    folder = Path(found["spec"]["local"]["path"])
    if folder.parent != volumes:
        print(f"not removed: {folder} is not directly in {volumes}", file=sys.stderr)
        return
    if folder.exists():
        shutil.rmtree(folder)
    core.delete_persistent_volume(found["metadata"]["name"])
    print(f"removed {folder}")


@contextmanager
def reported(what: str) -> Iterator[None]:
    """Print what went wrong with one claim or volume; the others do not wait for it, and it is tried again."""
    try:
        yield
    except (ApiException, HTTPError, OSError) as error:
        print(f"{what}: {' '.join(str(error).split())}", file=sys.stderr)


def look(api_client: Api, volumes: Path) -> None:
    """Bring volumes in line with claims once.

    Raises:
        ApiException: the API server does not list what we ask for.
    """
    core: Api = client.CoreV1Api(api_client)
    storage: Api = client.StorageV1Api(api_client)

    def plain(answer: Any) -> list[Manifest]:
        return list(api_client.sanitize_for_serialization(answer)["items"])

    classes = {found["metadata"]["name"]: found for found in plain(storage.list_storage_class())}
    existing = plain(core.list_persistent_volume())
    # Between our making a volume and the claim's being bound to it, the claim still looks as if it waited.
    answered = {(found["spec"].get("claimRef") or {}).get("uid") for found in existing}
    for claim in plain(core.list_persistent_volume_claim_for_all_namespaces()):
        storage_class = classes.get(claim["spec"].get("storageClassName"))
        if wants_volume(claim) and storage_class and claim["metadata"]["uid"] not in answered:
            with reported(f"claim {claim['metadata']['namespace']}/{claim['metadata']['name']}"):
                provision(core, claim, storage_class, volumes)
    for found in existing:
        if is_ours_to_delete(found):
            with reported(f"volume {found['metadata']['name']}"):
                remove(core, found, volumes)


def main() -> None:
    """Look at claims for ever; an API server that is away is waited for."""
    parser = argparse.ArgumentParser(description="Give claims a folder on this machine.")
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--volumes", type=Path, required=True)
    arguments = parser.parse_args()
    connect: Api = config.new_client_from_config
    api_client = connect(arguments.kubeconfig)
    while True:
        with reported("looking at claims"):
            look(api_client, arguments.volumes)
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main()
