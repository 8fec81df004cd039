"""The node's keys: three authorities, one certificate a component, renewed before they end.

Each authority vouches for one thing only: ``ca`` for the API's users, ``etcd-ca`` for who may read etcd, and
``front-proxy-ca`` for who may speak in another user's name. A certificate of one opens nothing of another's.
"""

import base64
import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from cluster import openssl
from cluster.openssl import Subject
from cluster.settings import (
    API_PORT,
    API_SERVICE_ADDRESS,
    CONTEXT,
    DOMAIN,
    NAME,
    NODE_ADDRESS,
    RENEWED_BEFORE_SECONDS,
    Node,
)

AUTHORITY_DAYS = 3650
DAYS = 365

SERVER = ("serverAuth",)
CLIENT = ("clientAuth",)
LOOPBACK = ("IP:127.0.0.1", "DNS:localhost")
API_NAMES = (
    *LOOPBACK,
    f"IP:{NODE_ADDRESS}",
    f"IP:{API_SERVICE_ADDRESS}",
    "DNS:kubernetes",
    "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc",
    f"DNS:kubernetes.default.svc.{DOMAIN}",
)

AUTHORITIES: Mapping[str, Mapping[str, Subject]] = {
    "ca": {
        "kube-apiserver": Subject(common_name="kube-apiserver", usages=SERVER, names=API_NAMES),
        "kubelet-client": Subject(common_name="kube-apiserver-kubelet-client", usages=CLIENT),
        "kubelet-server": Subject(common_name=f"system:node:{NAME}", usages=SERVER, names=(f"IP:{NODE_ADDRESS}",)),
        "kubelet": Subject(common_name=f"system:node:{NAME}", organisation="system:nodes", usages=CLIENT),
        "kube-controller-manager": Subject(
            common_name="system:kube-controller-manager", usages=(*SERVER, *CLIENT), names=LOOPBACK
        ),
        "kube-scheduler": Subject(common_name="system:kube-scheduler", usages=(*SERVER, *CLIENT), names=LOOPBACK),
        "kube-proxy": Subject(common_name="system:kube-proxy", usages=CLIENT),
        "volume-provisioner": Subject(common_name="aihub:volume-provisioner", usages=CLIENT),
        # May ask for health and metrics, and nothing else.
        "probe": Subject(common_name="aihub:probe", organisation="system:monitoring", usages=CLIENT),
        "admin": Subject(common_name="aihub:admin", organisation="system:masters", usages=CLIENT),
    },
    "etcd-ca": {
        "etcd": Subject(common_name="etcd", usages=(*SERVER, *CLIENT), names=LOOPBACK),
        "etcd-client": Subject(common_name="kube-apiserver-etcd-client", usages=CLIENT),
    },
    "front-proxy-ca": {"front-proxy": Subject(common_name="front-proxy", usages=CLIENT)},
}
KUBECONFIGS = ("kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy", "volume-provisioner")


def kubeconfig(authority: Path, certificate: Path, key: Path) -> str:
    """Return a kubeconfig for the API on loopback that carries its certificates within."""
    data = {
        name: base64.b64encode(path.read_bytes()).decode()
        for name, path in (("ca", authority), ("certificate", certificate), ("key", key))
    }
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": NAME,
                    "cluster": {
                        "server": f"https://127.0.0.1:{API_PORT}",
                        "certificate-authority-data": data["ca"],
                    },
                }
            ],
            "users": [
                {
                    "name": certificate.stem,
                    "user": {"client-certificate-data": data["certificate"], "client-key-data": data["key"]},
                }
            ],
            "contexts": [{"name": CONTEXT, "context": {"cluster": NAME, "user": certificate.stem}}],
            "current-context": CONTEXT,
        },
        sort_keys=False,
    )


def encryption_configuration(key: bytes) -> str:
    """Return the API server's EncryptionConfiguration: Secrets are sealed with ``key`` (32 bytes) before etcd."""
    return yaml.safe_dump(
        {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [
                {
                    "resources": ["secrets"],
                    # No `identity` after it: a Secret in the clear is an error here, not something to accept.
                    "providers": [
                        {"secretbox": {"keys": [{"name": "key1", "secret": base64.b64encode(key).decode()}]}}
                    ],
                }
            ],
        },
        sort_keys=False,
    )


def write_private(path: Path, text: str) -> bool:
    """Write ``text`` for the owner alone, whole or not at all; say whether that changed anything."""
    if path.exists() and path.read_text() == text:
        return False
    partial = path.with_name(path.name + ".new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.rename(path)
    return True


@dataclass
class Keys:
    """The key material of one node: says what is due, and makes it."""

    node: Node
    renewed_before_seconds: int = field(default=RENEWED_BEFORE_SECONDS)
    """A certificate that ends sooner is made anew."""

    def _mark(self, name: str) -> Path:
        return self.node.pki / f"{name}.made-as"

    def _wanted(self, subject: Subject, issuer: str | None) -> str:
        """Return what a certificate was made from; a change of subject or issuer makes it due."""
        certificate = self.node.certificate(issuer) if issuer else None
        made_by = hashlib.sha256(certificate.read_bytes() if certificate and certificate.exists() else b"").hexdigest()
        return f"{made_by}\n{subject.configuration()}"

    def _is_due(self, name: str, subject: Subject, issuer: str | None) -> bool:
        mark, certificate, key = self._mark(name), self.node.certificate(name), self.node.key(name)
        return (
            not (mark.exists() and certificate.exists() and key.exists())
            or mark.read_text() != self._wanted(subject, issuer)
            or not openssl.lasts(certificate, self.renewed_before_seconds)
        )

    def _all(self) -> list[tuple[str, Subject, str | None]]:
        """Return every certificate as (name, subject, issuer), issuers first."""
        authorities = [(name, Subject(common_name=f"aihub-{name}"), None) for name in AUTHORITIES]
        leaves = [
            (name, subject, issuer) for issuer, subjects in AUTHORITIES.items() for name, subject in subjects.items()
        ]
        return [*authorities, *leaves]

    def due(self) -> list[str]:
        """Return the names of what is missing, changed, or near its end."""
        names = [name for name, subject, issuer in self._all() if self._is_due(name, subject, issuer)]
        others = (self.node.key("service-accounts"), self.node.pki / "encryption.yaml", self.node.kubeconfig)
        return [*names, *(path.name for path in others if not path.exists())]

    def ensure(self) -> list[str]:
        """Make what is due and return its names.

        Raises:
            NodeError: openssl failed.
        """
        node = self.node
        node.state.mkdir(mode=0o755, parents=True, exist_ok=True)
        node.pki.mkdir(mode=0o700, exist_ok=True)
        made = []
        for name, subject, issuer in self._all():
            if not self._is_due(name, subject, issuer):
                continue
            # The mark goes first and comes last: an interrupted run leaves a certificate that is due.
            self._mark(name).unlink(missing_ok=True)
            authority = (node.certificate(issuer), node.key(issuer)) if issuer else None
            days = DAYS if issuer else AUTHORITY_DAYS
            openssl.issue(subject, node.certificate(name), node.key(name), days, authority)
            write_private(self._mark(name), self._wanted(subject, issuer))
            made.append(name)
        return [*made, *self._ensure_others()]

    def _ensure_others(self) -> list[str]:
        node, made = self.node, []
        signing, public = node.key("service-accounts"), node.pki / "service-accounts.pub"
        if not signing.exists() or not public.exists():
            # RSA: tokens are checked by clients that know no other signature.
            write_private(signing, openssl.run("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"))
            write_private(public, openssl.run("pkey", "-in", str(signing), "-pubout"))
            made.append(signing.name)
        encryption = node.pki / "encryption.yaml"
        if not encryption.exists():
            # Never made anew while it exists: what it sealed could not be read again.
            write_private(encryption, encryption_configuration(secrets.token_bytes(32)))
            made.append(encryption.name)
        users = [(name, node.pki / f"{name}.kubeconfig") for name in KUBECONFIGS] + [("admin", node.kubeconfig)]
        for name, path in users:
            if write_private(path, kubeconfig(node.certificate("ca"), node.certificate(name), node.key(name))):
                made.append(path.name)
        return made
