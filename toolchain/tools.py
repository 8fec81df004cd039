"""What each tool is: its version, its binaries, where the vendor publishes it, how it is built from Go modules.

The modules and their checksums are pinned in ``toolchain/go/<name>/go.mod`` and ``go.sum``.
"""

from dataclasses import dataclass

DOWNLOAD_TIMEOUT_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Archive:
    """One file of the vendor's that holds binaries of a tool."""

    url: str
    """Address; ``{version}`` is filled in, and ``{number}``: the version without its ``v``."""
    checksum_url: str
    """Address of the published SHA-256; its first word is the digest, or the word beside the file's name."""
    members: tuple[str, ...] = ()
    """Paths inside a .tar.gz, in the order of the binaries; empty: the file is the binary itself."""
    binaries: tuple[str, ...] = ()
    """Names that the members get in the tool's folder."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One versioned set of binaries."""

    name: str
    """Folder in the cache and below ``toolchain/go``."""
    version: str
    """Exact version, with its leading ``v``."""
    binaries: tuple[str, ...]
    """Executables that a complete folder holds."""
    packages: tuple[str, ...]
    """Go packages that build them, one a binary; ``.`` is the folder's own main package."""
    archives: tuple[Archive, ...] = ()
    """The vendor's downloads; empty: always built."""
    ldflags: str = ""
    """Linker flags that stamp the version."""
    tags: str = ""
    """Go build tags."""
    module_files: tuple[tuple[str, str], ...] = ()
    """(module, path) of scripts and manifests that are copied from the module beside the binaries."""
    module_folders: tuple[tuple[str, str], ...] = ()
    """(module, path) of folders that a binary reads while it runs; each becomes ``FOLDER.tar`` beside it."""
    needs_c: bool = False
    """True when a package holds C code: a C compiler builds it, linked statically."""
    use_path: bool = False
    """True when a binary of the same name on PATH may be used instead."""
    path_minimum: tuple[int, ...] = ()
    """Oldest version that may be used so, as ``NAME version`` prints it; empty: any."""
    build_minutes: int = 1
    """About how long a cold build takes on two cores, for the progress line."""


def _kubernetes_ldflags(version: str) -> str:
    """Return the flags that make every Kubernetes binary report ``version``."""
    major, minor, _ = version.removeprefix("v").split(".")
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(f"-X {package}.{key}={value}" for package in packages for key, value in values.items())


_KUBERNETES_VERSION = "v1.30.14"
_KUBERNETES_BINARIES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)

KUBERNETES = Tool(
    name="kubernetes",
    version=_KUBERNETES_VERSION,
    binaries=_KUBERNETES_BINARIES,
    packages=tuple(f"k8s.io/kubernetes/cmd/{binary}" for binary in _KUBERNETES_BINARIES),
    archives=tuple(
        Archive(
            url=f"https://dl.k8s.io/{{version}}/bin/linux/amd64/{binary}",
            checksum_url=f"https://dl.k8s.io/{{version}}/bin/linux/amd64/{binary}.sha256",
            binaries=(binary,),
        )
        for binary in _KUBERNETES_BINARIES
    ),
    ldflags=_kubernetes_ldflags(_KUBERNETES_VERSION),
    # Without the in-tree clouds and Docker: the node is nobody's cloud, and they are most of the code.
    tags="providerless,dockerless",
    build_minutes=6,
)

PULUMI = Tool(
    name="pulumi",
    version="v3.250.0",
    binaries=("pulumi",),
    packages=("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",),
    archives=(
        Archive(
            url="https://get.pulumi.com/releases/sdk/pulumi-{version}-linux-x64.tar.gz",
            checksum_url="https://get.pulumi.com/releases/sdk/pulumi-{number}-checksums.txt",
            members=("pulumi/pulumi", "pulumi/pulumi-language-python", "pulumi/pulumi-language-python-exec"),
            binaries=("pulumi", "pulumi-language-python", "pulumi-language-python-exec"),
        ),
    ),
    ldflags="-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.250.0",
    use_path=True,
    # The first that reads PULUMI_OPTION_CONFIG_FILE: an older one would write into the committed configuration.
    path_minimum=(3, 208, 0),
    build_minutes=3,
)

PULUMI_PYTHON = Tool(
    name="pulumi-python",
    # The last version whose Go module holds the language host; later ones are a module that no proxy serves.
    version="v3.78.1",
    binaries=("pulumi-language-python", "pulumi-language-python-exec"),
    packages=("github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",),
    module_files=(("github.com/pulumi/pulumi/sdk/v3", "python/cmd/pulumi-language-python-exec"),),
    use_path=True,
)

HELM = Tool(
    name="helm",
    version="v3.22.0",
    binaries=("helm",),
    packages=("helm.sh/helm/v3/cmd/helm",),
    archives=(
        Archive(
            url="https://get.helm.sh/helm-{version}-linux-amd64.tar.gz",
            checksum_url="https://get.helm.sh/helm-{version}-linux-amd64.tar.gz.sha256sum",
            members=("linux-amd64/helm",),
            binaries=("helm",),
        ),
    ),
    ldflags="-X helm.sh/helm/v3/internal/version.version=v3.22.0",
    use_path=True,
    build_minutes=2,
)

COREDNS = Tool(
    name="coredns",
    version="v1.14.6",
    binaries=("coredns",),
    packages=(".",),
    build_minutes=1,
)

PAUSE = Tool(name="pause", version="v1.0.0", binaries=("pause",), packages=(".",))

ARGOCD = Tool(
    name="argocd",
    version="v2.14.21",
    # `cmd` is every program of Argo CD: which one it is, its name says when it starts. `kustomize` renders for it.
    binaries=("cmd", "kustomize"),
    packages=("github.com/argoproj/argo-cd/v2/cmd", "sigs.k8s.io/kustomize/kustomize/v5"),
    module_files=(
        ("github.com/argoproj/argo-cd/v2", "manifests/core-install.yaml"),
        ("github.com/argoproj/argo-cd/v2", "hack/git-ask-pass.sh"),
    ),
    ldflags="-X github.com/argoproj/argo-cd/v2/common.version=2.14.21",
    build_minutes=5,
)

ROLLOUTS = Tool(
    name="rollouts",
    version="v1.8.3",
    binaries=("rollouts-controller",),
    packages=("github.com/argoproj/argo-rollouts/cmd/rollouts-controller",),
    module_files=(("github.com/argoproj/argo-rollouts", "manifests/install.yaml"),),
    ldflags="-X github.com/argoproj/argo-rollouts/utils/version.version=1.8.3",
    build_minutes=5,
)

GITEA = Tool(
    name="gitea",
    version="v1.24.6",
    binaries=("gitea",),
    packages=("code.gitea.io/gitea",),
    # Its pages' scripts and styles are made with Node.js and are not part of the module: there is no page to look at.
    module_folders=tuple(("code.gitea.io/gitea", path) for path in ("options", "templates", "public")),
    needs_c=True,
    ldflags="-X main.Version=1.24.6",
    tags="sqlite,sqlite_unlock_notify,sqlite_omit_load_extension,netgo,osusergo",
    build_minutes=5,
)

BUILDKIT = Tool(
    name="buildkit",
    version="v0.26.3",
    binaries=("buildkitd", "buildctl", "rootlesskit"),
    packages=(
        "github.com/moby/buildkit/cmd/buildkitd",
        "github.com/moby/buildkit/cmd/buildctl",
        "github.com/rootless-containers/rootlesskit/v2/cmd/rootlesskit",
    ),
    module_files=(("github.com/moby/buildkit", "examples/buildctl-daemonless/buildctl-daemonless.sh"),),
    ldflags="-X github.com/moby/buildkit/version.Version=v0.26.3",
    build_minutes=3,
)

COMPOSE = Tool(name="compose", version="v2.16.2", binaries=("compose",), packages=(".",))
"""Reads a Compose file as Docker does; the version is compose-go's."""

VAULT = Tool(name="vault", version="v1.21.4", binaries=("vault-core",), packages=(".",), build_minutes=6)
"""Vault's core with two of its plugins, for tests; without it they run on a stand-in. Only its name builds it."""

COSIGN = Tool(
    name="cosign",
    version="v3.1.3",
    binaries=("cosign",),
    packages=("github.com/sigstore/cosign/v3/cmd/cosign",),
    build_minutes=6,
)
"""Signs images and verifies them; the live test does both where it is at hand. Only its name builds it."""

NODE = (KUBERNETES, COREDNS, PAUSE)
"""What a Kubernetes node of our own is made of."""

ENGINE = (PULUMI, PULUMI_PYTHON)
"""What runs the Pulumi program."""

LIVE = (ROLLOUTS, ARGOCD, GITEA, BUILDKIT)
"""What `make live` runs on a node that no chart's images reach. Nothing else builds them."""

ALL = (*NODE, *ENGINE, HELM, COMPOSE, VAULT, COSIGN, *LIVE)
"""Every tool; the names are unique."""
