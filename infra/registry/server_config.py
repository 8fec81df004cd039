"""The registry's own configuration file (distribution.github.io/distribution/about/configuration)."""

from typing import Any

import yaml

CONFIG_FILE = "/etc/registry/config.yml"
DATA = "/var/lib/registry"
HTPASSWD = "/etc/registry-accounts/htpasswd"
TLS = "/etc/registry-tls"


def configuration(*, port: int, login: bool, tls: bool) -> str:
    """Return the file's text.

    No cache of layer descriptions: after a garbage collection it would claim layers that are gone, and pushes would
    leave them out.
    """
    http: dict[str, Any] = {"addr": f":{port}", "headers": {"X-Content-Type-Options": ["nosniff"]}}
    if tls:
        http["tls"] = {"certificate": f"{TLS}/tls.crt", "key": f"{TLS}/tls.key"}
    whole: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": DATA}, "delete": {"enabled": True}},
        "http": http,
    }
    if login:
        whole["auth"] = {"htpasswd": {"realm": "registry", "path": HTPASSWD}}
    return yaml.safe_dump(whole, sort_keys=True)
