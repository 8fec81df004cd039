"""The registry's own configuration file (distribution.github.io/distribution/about/configuration)."""

from typing import Any

import yaml

CONFIG_FILE = "/etc/registry/config.yml"
DATA = "/var/lib/registry"
HTPASSWD = "/etc/registry-accounts/htpasswd"
TLS = "/etc/registry-tls"
METRICS_PORT = 5001
"""Of the pod only: no policy but the monitoring's lets anybody ask it."""


def configuration(*, port: int, login: bool, tls: bool, metrics: bool = False) -> str:
    """Return the file's text.

    No cache of layer descriptions: after a garbage collection it would claim layers that are gone, and pushes would
    leave them out.
    """
    http: dict[str, Any] = {"addr": f":{port}", "headers": {"X-Content-Type-Options": ["nosniff"]}}
    if tls:
        http["tls"] = {"certificate": f"{TLS}/tls.crt", "key": f"{TLS}/tls.key"}
    if metrics:
        http["debug"] = {"addr": f":{METRICS_PORT}", "prometheus": {"enabled": True, "path": "/metrics"}}
    whole: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": DATA}, "delete": {"enabled": True}},
        "http": http,
    }
    if login:
        whole["auth"] = {"htpasswd": {"realm": "registry", "path": HTPASSWD}}
    return yaml.safe_dump(whole, sort_keys=True)
