"""etcd, the API server, the controller manager and the scheduler; all listen on loopback alone."""

import yaml

from cluster.components.service import HttpHealth, Service, flags
from cluster.settings import (
    API_PORT,
    ETCD_PEER_PORT,
    ETCD_PORT,
    NAME,
    NODE_ADDRESS,
    NODE_PORTS,
    SERVICE_CIDR,
    Node,
)

TLS_MINIMUM = "VersionTLS12"
NOISE_FREE_AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # The node's own heartbeats would be nine lines of ten.
        {"level": "None", "userGroups": ["system:nodes", "system:serviceaccounts:kube-system"]},
        {"level": "None", "users": ["system:kube-scheduler", "system:kube-controller-manager", "system:apiserver"]},
        # Who changed what; never a body, for bodies hold Secrets.
        {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
        {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets", "pods/exec"]}]},
    ],
}


def etcd(node: Node) -> Service:
    """Return etcd: one member, TLS with client certificates of an authority that serves nothing else."""
    own = f"https://127.0.0.1:{ETCD_PORT}"
    peer = f"https://127.0.0.1:{ETCD_PEER_PORT}"
    authority = node.certificate("etcd-ca")
    return Service(
        name="etcd",
        argv=(
            "/usr/bin/etcd",
            *flags(
                {
                    "name": NAME,
                    "data-dir": node.state / "etcd",
                    "listen-client-urls": own,
                    "advertise-client-urls": own,
                    "listen-peer-urls": peer,
                    "initial-advertise-peer-urls": peer,
                    "initial-cluster": f"{NAME}={peer}",
                    "cert-file": node.certificate("etcd"),
                    "key-file": node.key("etcd"),
                    "trusted-ca-file": authority,
                    "client-cert-auth": True,
                    "peer-cert-file": node.certificate("etcd"),
                    "peer-key-file": node.key("etcd"),
                    "peer-trusted-ca-file": authority,
                    "peer-client-cert-auth": True,
                    # History is compacted by the API server every five minutes; the file keeps its size.
                    "quota-backend-bytes": 2 * 2**30,
                    "snapshot-count": 10000,
                    "logger": "zap",
                }
            ),
        ),
        health=HttpHealth(url=f"{own}/health", authority=authority, certificate=node.certificate("etcd-client")),
    )


def kube_apiserver(node: Node) -> Service:
    """Return the API server: no anonymous requests, Secrets encrypted in etcd, changes written to an audit log."""
    audit = node.config / "audit.yaml"
    return Service(
        name="kube-apiserver",
        argv=(
            str(node.binaries / "kube-apiserver"),
            *flags(
                {
                    "bind-address": "127.0.0.1",
                    "secure-port": API_PORT,
                    # Where pods find it: `api-for-pods` listens there (an endpoint on loopback is refused).
                    "advertise-address": NODE_ADDRESS,
                    "service-cluster-ip-range": SERVICE_CIDR,
                    "service-node-port-range": NODE_PORTS,
                    # Storage and GPU drivers need privileged pods; Pod Security decides in which namespaces.
                    "allow-privileged": True,
                    "anonymous-auth": False,
                    "authorization-mode": "Node,RBAC",
                    "enable-admission-plugins": "NodeRestriction",
                    "client-ca-file": node.certificate("ca"),
                    "tls-cert-file": node.certificate("kube-apiserver"),
                    "tls-private-key-file": node.key("kube-apiserver"),
                    "tls-min-version": TLS_MINIMUM,
                    "etcd-servers": f"https://127.0.0.1:{ETCD_PORT}",
                    "etcd-cafile": node.certificate("etcd-ca"),
                    "etcd-certfile": node.certificate("etcd-client"),
                    "etcd-keyfile": node.key("etcd-client"),
                    "encryption-provider-config": node.pki / "encryption.yaml",
                    "kubelet-certificate-authority": node.certificate("ca"),
                    "kubelet-client-certificate": node.certificate("kubelet-client"),
                    "kubelet-client-key": node.key("kubelet-client"),
                    "kubelet-preferred-address-types": "InternalIP",
                    "service-account-issuer": "https://kubernetes.default.svc",
                    "service-account-key-file": node.pki / "service-accounts.pub",
                    "service-account-signing-key-file": node.key("service-accounts"),
                    "requestheader-client-ca-file": node.certificate("front-proxy-ca"),
                    "requestheader-allowed-names": "front-proxy",
                    "requestheader-username-headers": "X-Remote-User",
                    "requestheader-group-headers": "X-Remote-Group",
                    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
                    "proxy-client-cert-file": node.certificate("front-proxy"),
                    "proxy-client-key-file": node.key("front-proxy"),
                    "audit-policy-file": audit,
                    "audit-log-path": node.log / "audit.log",
                    "audit-log-maxsize": 20,
                    "audit-log-maxbackup": 2,
                    "profiling": False,
                }
            ),
        ),
        files={audit: yaml.safe_dump(NOISE_FREE_AUDIT, sort_keys=False)},
        health=HttpHealth(
            url=f"https://127.0.0.1:{API_PORT}/readyz",
            authority=node.certificate("ca"),
            certificate=node.certificate("probe"),
        ),
        # It waits for every watch to end, up to a minute; etcd has all it was given, so nothing is lost.
        stop_seconds=15,
    )


def controller_manager(node: Node) -> Service:
    """Return the controller manager; each controller acts under a service account of its own."""
    own = node.pki / "kube-controller-manager.kubeconfig"
    return Service(
        name="kube-controller-manager",
        argv=(
            str(node.binaries / "kube-controller-manager"),
            *flags(
                {
                    "kubeconfig": own,
                    "authentication-kubeconfig": own,
                    "authorization-kubeconfig": own,
                    "bind-address": "127.0.0.1",
                    "tls-cert-file": node.certificate("kube-controller-manager"),
                    "tls-private-key-file": node.key("kube-controller-manager"),
                    "tls-min-version": TLS_MINIMUM,
                    "root-ca-file": node.certificate("ca"),
                    "cluster-signing-cert-file": node.certificate("ca"),
                    "cluster-signing-key-file": node.key("ca"),
                    "service-account-private-key-file": node.key("service-accounts"),
                    "use-service-account-credentials": True,
                    # The default lies in /usr/libexec, and would be made there.
                    "flex-volume-plugin-dir": node.state / "kubelet-plugins",
                    # There is no second one: a lease would only cost writes and a wait at every start.
                    "leader-elect": False,
                    "profiling": False,
                }
            ),
        ),
        health=HttpHealth(url="https://127.0.0.1:10257/healthz", authority=node.certificate("ca")),
    )


def scheduler(node: Node) -> Service:
    """Return the scheduler."""
    own = node.pki / "kube-scheduler.kubeconfig"
    return Service(
        name="kube-scheduler",
        argv=(
            str(node.binaries / "kube-scheduler"),
            *flags(
                {
                    "kubeconfig": own,
                    "authentication-kubeconfig": own,
                    "authorization-kubeconfig": own,
                    "bind-address": "127.0.0.1",
                    "tls-cert-file": node.certificate("kube-scheduler"),
                    "tls-private-key-file": node.key("kube-scheduler"),
                    "tls-min-version": TLS_MINIMUM,
                    "leader-elect": False,
                    "profiling": False,
                }
            ),
        ),
        health=HttpHealth(url="https://127.0.0.1:10259/healthz", authority=node.certificate("ca")),
    )
