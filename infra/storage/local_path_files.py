"""The provisioner's own files: where folders go, how one is made and removed, and by what pod."""

import json
from typing import Any

import yaml

SETUP = """\
#!/bin/sh
set -eu
# Everyone may write into a volume (pods run as anybody), so nobody but root may come near it from outside.
chmod 0700 "$(dirname "$VOL_DIR")"
mkdir -m 0777 -p "$VOL_DIR"
"""
TEARDOWN = """\
#!/bin/sh
set -eu
rm -rf "$VOL_DIR"
"""


def files(folder: str, helper_image: str) -> dict[str, str]:
    """Return file -> text.

    Args:
        folder: of each node, in which the volumes lie.
        helper_image: image of the pod that makes and removes a volume's folder.
    """
    folders = {"nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [folder]}]}
    return {
        "config.json": json.dumps(folders, indent=1),
        "setup": SETUP,
        "teardown": TEARDOWN,
        "helperPod.yaml": yaml.safe_dump(_helper_pod(helper_image), sort_keys=False),
    }


def _helper_pod(image: str) -> dict[str, Any]:
    """Return the pod that makes or removes one folder; root, since it removes what pods of any user wrote.

    The provisioner refuses a template that adds capabilities or names a user, so what root does not need is dropped.
    """
    unneeded = ["AUDIT_WRITE", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETUID", "SYS_CHROOT"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "helper-pod"},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "helper-pod",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": unneeded},
                    },
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "32Mi"},
                        "limits": {"cpu": "200m", "memory": "64Mi"},
                    },
                }
            ],
        },
    }
