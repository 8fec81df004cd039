"""Every version that is pinned here; third-party images are fields of the stack files, since one may mirror them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ChartPin:
    """One released Helm chart."""

    name: str
    """Name in its repository."""
    version: str
    """Exact version."""
    repository: str
    """Address: https://... of an index, or oci://... of the folder that the chart lies in."""


SERVICE = "0.1.0"
"""The chat's images; raised with a release. Pulumi rolls out by digest: a build without a raise, too."""

REDIS = "7.0"
"""Redis of Debian 12 (packages.debian.org/bookworm/redis-server), tag of the image built from ``images/redis``."""

TRAEFIK = ChartPin(name="traefik", version="41.3.0", repository="https://traefik.github.io/charts")
"""Traefik 3.7.11, 2026-08-21; from 3.6.2 on it serves Ingresses written for ingress-nginx."""

INGRESS_NGINX = ChartPin(
    name="ingress-nginx", version="4.15.1", repository="https://kubernetes.github.io/ingress-nginx"
)
"""ingress-nginx 1.15.1, 2026-03-19: its last."""

CERT_MANAGER = ChartPin(name="cert-manager", version="v1.21.1", repository="oci://quay.io/jetstack/charts")
"""cert-manager, 2026-07-29."""

LONGHORN = ChartPin(name="longhorn", version="1.12.1", repository="https://charts.longhorn.io")
"""Longhorn, 2026-08-14."""

NVIDIA_DEVICE_PLUGIN = ChartPin(
    name="nvidia-device-plugin", version="0.20.0", repository="https://nvidia.github.io/k8s-device-plugin"
)
"""NVIDIA's device plugin, 2026-08-19; knows WSL2's one device since 0.19.1."""

CHROMA = "1.5.9"
"""Chroma, PyPI package `chromadb`: tag of the image built from ``images/chroma``; as the api's client."""

KUBE_PROMETHEUS_STACK = ChartPin(
    name="kube-prometheus-stack", version="88.5.3", repository="oci://ghcr.io/prometheus-community/charts"
)
"""Operator 0.93, Grafana 13. A major raises the CRDs, which Helm leaves as they are: docs/decisions/1101."""

LOKI = ChartPin(name="loki", version="18.11.0", repository="oci://ghcr.io/grafana-community/helm-charts")
"""Loki 3.7; the chart of the same name at grafana.github.io is for the enterprise edition only."""

TEMPO = ChartPin(name="tempo", version="2.2.4", repository="oci://ghcr.io/grafana-community/helm-charts")
"""Tempo 2.10, one process."""

ALLOY = ChartPin(name="alloy", version="1.11.1", repository="https://grafana.github.io/helm-charts")
"""Alloy 1.18."""

PENPOT = ChartPin(name="penpot", version="1.7.0", repository="http://helm.penpot.app")
"""Penpot 2.17; the repository's address is plain http."""

ARGO_HELM = "https://argoproj.github.io/argo-helm"

ARGO_CD = ChartPin(name="argo-cd", version="10.1.1", repository=ARGO_HELM)
"""Argo CD v3.4.4, 2026-07-02."""

IMAGE_UPDATER = ChartPin(name="argocd-image-updater", version="1.2.4", repository=ARGO_HELM)
"""Argo CD Image Updater v1.2.2, 2026-06-27; the first line with the `ImageUpdater` resource in place of annotations."""

IMAGE_UPDATER_IMAGE = "quay.io/argoprojlabs/argocd-image-updater:v1.2.2"
"""What the chart runs; named for the container beside it that makes a list of authorities."""

ROLLOUTS = ChartPin(name="argo-rollouts", version="2.41.0", repository=ARGO_HELM)
"""Argo Rollouts v1.9.0, 2026-06-05."""

JENKINS = ChartPin(name="jenkins", version="5.9.53", repository="https://charts.jenkins.io")
"""Jenkins 2.568.2, 2026-08-07; its plugins are pinned with it: infra/ci/plugins.py."""

GIT = "2.39"
"""Git of Debian 12 (packages.debian.org/bookworm/git), tag of the image built from ``images/rollback``."""
