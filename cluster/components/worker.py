"""containerd, kubelet, kube-proxy, and the way from pods to an API server that listens on loopback."""

import yaml

from cluster.components.containerd import configuration, registry_hosts
from cluster.components.network import conflist, prepare_network
from cluster.components.service import HttpHealth, Service, SocketHealth, flags
from cluster.settings import (
    API_PORT,
    DNS_ADDRESS,
    DOMAIN,
    NAME,
    NODE_ADDRESS,
    PATH,
    POD_CIDR,
    REGISTRY,
    Node,
)

KUBELET_OOM_SCORE = -999


def containerd(node: Node) -> Service:
    """Return a containerd of the node's own: Debian's may serve Docker."""
    file = node.config / "containerd.toml"
    hosts = node.config / "certs.d" / REGISTRY / "hosts.toml"
    return Service(
        name="containerd",
        argv=("/usr/bin/containerd", "--config", str(file)),
        files={
            file: configuration(node),
            hosts: registry_hosts(node.registry_authority if node.registry_ca else None),
            **({node.registry_authority: node.registry_ca} if node.registry_ca else {}),
            node.config / "cni" / "10-aihub.conflist": conflist(node),
        },
        environment={"PATH": PATH},
        prepare=prepare_network(),
        health=SocketHealth(address=str(node.containerd_socket)),
    )


def api_for_pods(_node: Node) -> Service:
    """Return the forwarder from the node's address to the API server.

    Pods reach the API through its service address, which leads to an endpoint; the API server refuses an endpoint on
    loopback, and listening on every address would lay it open to the network.
    """
    return Service(
        name="api-for-pods",
        argv=(
            "/usr/bin/socat",
            f"TCP-LISTEN:{API_PORT},bind={NODE_ADDRESS},reuseaddr,fork,max-children=512",
            f"TCP:127.0.0.1:{API_PORT}",
        ),
        prepare=prepare_network(),
        health=SocketHealth(address=(NODE_ADDRESS, API_PORT)),
    )


def kubelet(node: Node) -> Service:
    """Return the kubelet; it listens on the bridge's address, where the API server finds it."""
    file = node.config / "kubelet.yaml"
    configuration = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "healthzBindAddress": "127.0.0.1",
        "readOnlyPort": 0,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(node.certificate("ca"))},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(node.certificate("kubelet-server")),
        "tlsPrivateKeyFile": str(node.key("kubelet-server")),
        "tlsMinVersion": "VersionTLS12",
        "containerRuntimeEndpoint": f"unix://{node.containerd_socket}",
        "cgroupDriver": node.host.cgroup_driver,
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": DOMAIN,
        "resolvConf": str(node.host.resolv_conf),
        "podLogsDir": str(node.log / "pods"),
        "volumePluginDir": str(node.state / "kubelet-plugins"),
        "failSwapOn": False,
        "serializeImagePulls": False,
        "maxParallelImagePulls": 3,
        "oomScoreAdj": KUBELET_OOM_SCORE if node.host.lowers_oom_score else 0,
        # A newcomer's disk is often nearly full in per cent and has room in gigabytes.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "2%", "imagefs.available": "2%"},
        # Images that were imported cannot be pulled again, so none may be collected.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "containerLogMaxSize": "10Mi",
        "containerLogMaxFiles": 3,
    }
    return Service(
        name="kubelet",
        argv=(
            str(node.binaries / "kubelet"),
            *flags(
                {
                    "config": file,
                    "kubeconfig": node.pki / "kubelet.kubeconfig",
                    "root-dir": node.state / "kubelet",
                    "cert-dir": node.pki,
                    "hostname-override": NAME,
                    "node-ip": NODE_ADDRESS,
                }
            ),
        ),
        files={file: yaml.safe_dump(configuration, sort_keys=False)},
        environment={"PATH": PATH},
        health=HttpHealth(url="http://127.0.0.1:10248/healthz"),
    )


def kube_proxy(node: Node) -> Service:
    """Return kube-proxy; NodePorts answer on loopback, and elsewhere only where ``expose`` says so."""
    file = node.config / "kube-proxy.yaml"
    configuration = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(node.pki / "kube-proxy.kubeconfig")},
        "hostnameOverride": NAME,
        "bindAddress": "127.0.0.1",
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # Not nftables: only iptables answers NodePorts on loopback.
        "mode": "iptables",
        "clusterCIDR": POD_CIDR,
        "nodePortAddresses": list(node.node_port_addresses()),
        "oomScoreAdj": KUBELET_OOM_SCORE if node.host.lowers_oom_score else 0,
        # The machine's own limits stand: inside containers and WSL2 they cannot be written.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }
    return Service(
        name="kube-proxy",
        argv=(str(node.binaries / "kube-proxy"), f"--config={file}"),
        files={file: yaml.safe_dump(configuration, sort_keys=False)},
        environment={"PATH": PATH},
        health=HttpHealth(url="http://127.0.0.1:10256/livez"),
    )
