"""One build, one pod: fetch a commit, build its Dockerfile, push the image, and say what came of it.

Pure functions that return manifests (camelCase). Jenkins gets :func:`agent_pod` through its configuration and runs the
very same container; :func:`build_pod` runs the same build without Jenkins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from infra.ci.trust import trusting
from infra.cluster import labels

BuilderKind = Literal["buildkit", "kaniko"]

FOLDER = Path(__file__).parent
BUILD_IMAGE = (FOLDER / "build_image.sh").read_text()
FETCH_SOURCE = (FOLDER / "fetch_source.sh").read_text()

CONTAINER = "builder"
"""Name of the container that builds; Jenkinsfiles call it by this name."""
COMPONENT = "build"
"""Component of these pods: their label, their policy."""
CHECKOUT = "/home/jenkins/agent"
CACHE = "/cache"
LOGIN = "/etc/registry-login"
BUILD_FILES = "/etc/build-secrets"
GIT_LOGIN = "/etc/git-login"
TEMPORARY = "/tmp"  # noqa: S108 - the pod's own emptyDir
USER = 1000
"""User of rootless BuildKit's image and of Jenkins' agent image: both write into the checkout."""


@dataclass(frozen=True, kw_only=True)
class Builder:
    """What every build of a stack has in common."""

    kind: BuilderKind
    """Which program builds."""
    image: str
    """Its image: rootless BuildKit with ``buildctl-daemonless.sh``, or Kaniko's debug image (it has a shell)."""
    namespace: str
    """Namespace of the pods."""
    service_account: str
    """Account of the pods; it may do nothing at the API server."""
    registry_host: str
    """Address of the registry that the image is pushed to."""
    registry_plain_http: bool
    """Whether that registry speaks plain HTTP."""
    base_image: str
    """What our Dockerfiles start from."""
    cpu_millicores: int
    """Limit."""
    memory_mib: int
    """Limit, reserved whole."""
    deadline_seconds: int
    """A pod that runs longer is stopped."""
    workspace_gib: int = 8
    """Limit of the checkout's emptyDir."""
    cache_claim: str | None = None
    """Claim that keeps layers between builds; absent: every build starts from nothing."""
    cache_gib: int = 0
    """Size of that claim."""
    registry_login: str | None = None
    """Secret of type kubernetes.io/dockerconfigjson to push and pull with; absent: none is needed."""
    build_secrets: str | None = None
    """Secret whose files are lent to builds, e.g. ``pip.conf``; absent, or not there: none."""
    host_aliases: Mapping[str, str] = field(default_factory=dict)
    """Host name -> address, for names that the cluster's DNS does not know."""
    trusts_authorities: bool = False
    """Whether the namespace has a ConfigMap of authorities, to be trusted beside the public ones."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """The commit to build."""

    url: str
    """Clone URL, http(s), without a login in it."""
    revision: str
    """Commit, branch or tag."""
    git_image: str
    """Image with ``git`` and ``sh``; rootless BuildKit's own has both."""
    login: str | None = None
    """Secret with ``username`` and ``password``; absent: the repository is public within the cluster."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """One image to build."""

    context: str
    """Folder below the checkout, e.g. ``service``."""
    repository: str
    """Where it is pushed, without a tag: ``registry.local:5000/aihub/api``."""
    tags: tuple[str, ...]
    """Its tags. A pipeline gives one that is no version, and the commit's after it has looked at the image."""
    target: str | None = None
    """Stage of the Dockerfile; absent: the last."""
    dockerfile: str = "Dockerfile"
    """Its name within the context."""
    build_args: Mapping[str, str] = field(default_factory=dict)
    """Arguments beside ``BASE_IMAGE``."""


def build_pod(name: str, builder: Builder, source: Source, build: Build) -> dict[str, Any]:
    """Return the Pod that does one build from beginning to end.

    It ends as Succeeded or Failed. Its last word (``status.*.state.terminated.message``) is either
    ``Pushed REPOSITORY@sha256:... (TAGS)`` or one sentence that says what went wrong and where to look.
    """
    fetch = {
        "name": "fetch",
        "image": source.git_image,
        "command": ["sh", "-c", FETCH_SOURCE],
        "env": _env(
            CHECKOUT=CHECKOUT,
            GIT_URL=source.url,
            GIT_REVISION=source.revision,
            GIT_LOGIN=GIT_LOGIN if source.login else "",
            HOME=TEMPORARY,
            TMPDIR=TEMPORARY,  # the image names a folder of its own, which is read-only here
        ),
        "resources": _limits(cpu_millicores=500, memory_mib=512),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [
            {"name": "workspace", "mountPath": CHECKOUT},
            {"name": "tmp", "mountPath": TEMPORARY},
            *([{"name": "git-login", "mountPath": GIT_LOGIN, "readOnly": True}] if source.login else []),
        ],
    }
    one_build = _env(
        CONTEXT=build.context,
        DOCKERFILE=build.dockerfile,
        TARGET=build.target or "",
        IMAGE=build.repository,
        TAGS=" ".join(build.tags),
        REVISION=source.revision,
        BUILD_ARGS="\n".join(f"{key}={value}" for key, value in sorted(build.build_args.items())),
        CHECKOUT=CHECKOUT,
    )
    container = _builder_container(builder)
    container |= {
        "command": ["sh", "-c", 'exec sh -c "$BUILD_IMAGE"'],
        "env": [*container["env"], *one_build],
        "volumeMounts": [{"name": "workspace", "mountPath": CHECKOUT}, *container["volumeMounts"]],
    }
    pod = _pod(builder, container)
    pod["spec"] |= {"initContainers": [fetch], "restartPolicy": "Never"}
    pod["spec"]["volumes"].append({"name": "workspace", "emptyDir": {"sizeLimit": f"{builder.workspace_gib}Gi"}})
    if source.login:
        pod["spec"]["volumes"].append({"name": "git-login", "secret": {"secretName": source.login}})
    pod["metadata"] |= {"name": name, "namespace": builder.namespace}
    return trusting(pod, source.git_image) if builder.trusts_authorities else pod


def agent_pod(builder: Builder) -> dict[str, Any]:
    """Return what Jenkins' Kubernetes plugin merges its own agent into: the same container, waiting to be called.

    The plugin brings the container `jnlp` and the volume of the checkout; ``sh 'sh -c "$BUILD_IMAGE"'`` builds.
    """
    container = _builder_container(builder) | {"command": ["sleep", str(builder.deadline_seconds)]}
    pod = _pod(builder, container)
    pod["spec"]["restartPolicy"] = "Never"
    return pod


def _pod(builder: Builder, container: dict[str, Any]) -> dict[str, Any]:
    volumes: list[dict[str, Any]] = [
        {"name": "tmp", "emptyDir": {"sizeLimit": "2Gi"}},
        {"name": "runtime", "emptyDir": {"sizeLimit": "64Mi"}},
    ]
    if builder.cache_claim:
        volumes.append({"name": "cache", "persistentVolumeClaim": {"claimName": builder.cache_claim}})
    if builder.registry_login:
        items = [{"key": ".dockerconfigjson", "path": "config.json"}]
        volumes.append({"name": "registry-login", "secret": {"secretName": builder.registry_login, "items": items}})
    if builder.build_secrets:
        secret = {"secretName": builder.build_secrets, "optional": True}
        volumes.append({"name": "build-secrets", "secret": secret})
    spec: dict[str, Any] = {
        "serviceAccountName": builder.service_account,
        # What is built runs code of whoever may push: it gets no way to the API server.
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "activeDeadlineSeconds": builder.deadline_seconds,
        "terminationGracePeriodSeconds": 10,
        "securityContext": {"fsGroup": USER, "fsGroupChangePolicy": "OnRootMismatch"},
        "containers": [container],
        "volumes": volumes,
    }
    if builder.host_aliases:
        spec["hostAliases"] = [
            {"ip": address, "hostnames": [host]} for host, address in sorted(builder.host_aliases.items())
        ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": labels("ci", COMPONENT)},
        "spec": spec,
    }


def _builder_container(builder: Builder) -> dict[str, Any]:
    mounts: list[dict[str, Any]] = [
        {"name": "tmp", "mountPath": TEMPORARY},
    ]
    if builder.kind == "buildkit":
        mounts.append({"name": "runtime", "mountPath": f"/run/user/{USER}"})
    if builder.cache_claim:
        mounts.append({"name": "cache", "mountPath": CACHE})
    if builder.registry_login:
        mounts.append({"name": "registry-login", "mountPath": LOGIN, "readOnly": True})
    if builder.build_secrets:
        mounts.append({"name": "build-secrets", "mountPath": BUILD_FILES, "readOnly": True})
    return {
        "name": CONTAINER,
        "image": builder.image,
        "env": _env(
            BUILD_IMAGE=BUILD_IMAGE,
            BUILDER=builder.kind,
            BASE_IMAGE=builder.base_image,
            REGISTRY=builder.registry_host,
            PLAIN_HTTP=str(builder.registry_plain_http).lower(),
            MEMORY_MIB=str(builder.memory_mib),
            CACHE=CACHE if builder.cache_claim else "",
            CACHE_MIB=str(builder.cache_gib * 1024 if builder.cache_claim else 0),
            BUILD_FILES=BUILD_FILES if builder.build_secrets else "",
            **({"XDG_RUNTIME_DIR": f"/run/user/{USER}", "TMPDIR": TEMPORARY} if builder.kind == "buildkit" else {}),
            **({"DOCKER_CONFIG": LOGIN} if builder.registry_login else {}),
        ),
        "resources": _limits(cpu_millicores=builder.cpu_millicores, memory_mib=builder.memory_mib),
        "securityContext": _SECURITY[builder.kind],
        "volumeMounts": mounts,
    }


_SECURITY: Mapping[BuilderKind, dict[str, Any]] = {
    # Not root, but it makes a user namespace of its own (unshare, mount: refused by the default seccomp profile), and
    # newuidmap gains the right to map users from its file's mode, which allowPrivilegeEscalation: false would forbid.
    "buildkit": {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "seccompProfile": {"type": "Unconfined"},
        "appArmorProfile": {"type": "Unconfined"},
    },
    # Kaniko unpacks the image over its own root and changes owners there: it must be root, with the usual capabilities.
    "kaniko": {"runAsUser": 0, "runAsGroup": 0, "seccompProfile": {"type": "RuntimeDefault"}},
}


def _limits(*, cpu_millicores: int, memory_mib: int) -> dict[str, Any]:
    """Return requests and limits, memory reserved whole: a build must not make the node kill the engine."""
    return {
        "requests": {"cpu": f"{max(10, cpu_millicores // 10)}m", "memory": f"{memory_mib}Mi"},
        "limits": {"cpu": f"{cpu_millicores}m", "memory": f"{memory_mib}Mi"},
    }


def _env(**variables: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in variables.items()]
