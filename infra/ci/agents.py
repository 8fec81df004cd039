"""The pods in which pipelines run, beside the one that builds. Pure functions; manifests are camelCase."""

from dataclasses import dataclass
from typing import Any

from infra.ci.build_pod import COMPONENT, LOGIN, Builder, agent_pod
from infra.ci.pipelines import REVIEWS
from infra.ci.trust import RESTRICTED
from infra.cluster import labels

TRUSTED_CLOUD = "builds"
"""Jenkins' name for the namespace where the builders' pods, and Secrets, are."""
REVIEW_CLOUD = REVIEWS
"""Jenkins' name for the namespace without any Secret."""

REVIEW = "review"
"""Component of the pods that run tests and reviews: their label, their policy."""
DRIFT = "drift"
"""Component of the pod that looks for drift, and the name of its account."""
COSIGN = "/etc/cosign"
GIT_ROBOT = "/etc/git-robot"


@dataclass(frozen=True, kw_only=True)
class AgentImages:
    """Images of the containers."""

    agent: str
    """Jenkins' agent."""
    base: str
    """Debian with Python: runs small scripts."""
    tests: str
    """Debian with Python and Git: runs tests."""
    scanner: str
    """Trivy."""
    signer: str | None
    """Cosign with a shell; None: images are not signed."""


def builder_agent(builder: Builder, images: AgentImages, cosign_secret: str | None) -> dict[str, Any]:
    """Return the pod that builds, scans, signs and names, one image after the other."""
    pod = agent_pod(builder)
    tagger = _container("tagger", images.base, cpu_millicores=200, memory_mib=64, reserved_mib=32)
    scanner = _container("scanner", images.scanner, cpu_millicores=1000, memory_mib=1024, reserved_mib=128)
    containers = [_jnlp(images), *pod["spec"]["containers"], scanner, tagger]
    volumes = pod["spec"]["volumes"]
    if images.signer and cosign_secret:
        signer = _container("signer", images.signer, cpu_millicores=500, memory_mib=256, reserved_mib=32)
        signer["volumeMounts"] = [{"name": "cosign", "mountPath": COSIGN, "readOnly": True}]
        containers.append(signer)
        volumes.append({"name": "cosign", "secret": {"secretName": cosign_secret, "defaultMode": 0o440}})
    if builder.registry_login:
        for container in containers[2:]:
            container["env"].append({"name": "DOCKER_CONFIG", "value": LOGIN})
            login = {"name": "registry-login", "mountPath": LOGIN, "readOnly": True}
            container["volumeMounts"] = [*container.get("volumeMounts", []), login]
    pod["spec"]["containers"] = containers
    return pod


def review_agent(
    images: AgentImages, *, service_account: str, memory_mib: int, deadline_seconds: int
) -> dict[str, Any]:
    """Return the pod in which code runs that nobody has approved yet: no Secret, no token, nothing but a limit."""
    tests = _container("tests", images.tests, cpu_millicores=2000, memory_mib=memory_mib)
    return _pod(REVIEW, service_account, [_jnlp(images), tests], deadline_seconds)


def comment_agent(images: AgentImages, *, service_account: str, robot_secret: str) -> dict[str, Any]:
    """Return the pod that writes comments; it has the robot's password, and runs no code of a merge request."""
    comment = _container("comment", images.base, cpu_millicores=200, memory_mib=64)
    comment["volumeMounts"] = [{"name": "robot", "mountPath": GIT_ROBOT, "readOnly": True}]
    pod = _pod(COMPONENT, service_account, [_jnlp(images), comment], 600)
    pod["spec"]["volumes"] = [{"name": "robot", "secret": {"secretName": robot_secret, "defaultMode": 0o440}}]
    return pod


def drift_agent(images: AgentImages) -> dict[str, Any]:
    """Return the pod that compares the cluster with what is declared: the only one with an account's token."""
    drift = _container(DRIFT, images.base, cpu_millicores=1000, memory_mib=1024, reserved_mib=256)
    pod = _pod(DRIFT, DRIFT, [_jnlp(images), drift], 1800)
    pod["spec"]["automountServiceAccountToken"] = True
    return pod


def _pod(
    component: str, service_account: str, containers: list[dict[str, Any]], deadline_seconds: int
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": labels("ci", component)},
        "spec": {
            "serviceAccountName": service_account,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "activeDeadlineSeconds": deadline_seconds,
            "restartPolicy": "Never",
            "securityContext": {"fsGroup": 1000, "fsGroupChangePolicy": "OnRootMismatch"},
            "containers": containers,
        },
    }


def _jnlp(images: AgentImages) -> dict[str, Any]:
    """Return Jenkins' own container, which fetches the source and passes commands on."""
    return {
        "name": "jnlp",
        "image": images.agent,
        "resources": _resources(cpu_millicores=500, memory_mib=384, reserved_mib=384),
        "securityContext": RESTRICTED,
    }


def _container(
    name: str, image: str, *, cpu_millicores: int, memory_mib: int, reserved_mib: int | None = None
) -> dict[str, Any]:
    return {
        "name": name,
        "image": image,
        # Waits for its commands; ends with the pod.
        "command": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 5; done"],
        "env": [{"name": "HOME", "value": "/tmp"}],  # noqa: S108 - the container's own
        "resources": _resources(
            cpu_millicores=cpu_millicores, memory_mib=memory_mib, reserved_mib=reserved_mib or memory_mib
        ),
        "securityContext": RESTRICTED,
    }


def _resources(*, cpu_millicores: int, memory_mib: int, reserved_mib: int) -> dict[str, Any]:
    """Return requests and limits; what works only while the builder beside it rests reserves little of its own."""
    return {
        "requests": {"cpu": f"{max(10, cpu_millicores // 10)}m", "memory": f"{reserved_mib}Mi"},
        "limits": {"cpu": f"{cpu_millicores}m", "memory": f"{memory_mib}Mi"},
    }
