"""The service's images: each layer's size, and what a change of the code rebuilds and pushes.

Asks the registry of stack ``local``, which must be up from this checkout; the code gets one more comment, for a while.
"""

import json
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

from bench.report import table, write
from infra.versions import SERVICE as VERSION
from ops.paths import CHECKOUT, SERVICE, StackPaths
from ops.progress import duration

REGISTRY = "http://127.0.0.1:5000/v2/aihub"
MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
IMAGES = ("api", "engine")
MIB = 2**20


@dataclass(frozen=True)
class Layer:
    """One layer as it lies in the registry."""

    digest: str
    size: int
    """Bytes, compressed."""
    made_by: str
    """The Dockerfile's instruction, shortened."""


def _get(path: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{REGISTRY}/{path}", headers={"Accept": MANIFESTS})
    with urllib.request.urlopen(request, timeout=30) as response:
        return dict(json.load(response))


def layers(image: str) -> list[Layer]:
    """Return the layers of ``image`` at this version, the base first."""
    manifest = _get(f"{image}/manifests/{VERSION}")
    config = _get(f"{image}/blobs/{manifest['config']['digest']}")
    history = [each for each in config["history"] if not each.get("empty_layer")]
    return [
        Layer(layer["digest"], layer["size"], _short(step.get("created_by", "")))
        for layer, step in zip(manifest["layers"], history, strict=True)
    ]


def _short(instruction: str) -> str:
    for text, name in (
        ("requirements-torch.txt --require", "PyTorch and its libraries"),
        ("requirement /opt/requirements-torch", "PyTorch and its libraries"),
        ("requirement /opt/requirements-engine", "libraries of the engine"),
        ("requirement /opt/requirements-api", "libraries of the api"),
        ("/app/web", "the page"),
        ("chatbot", "our code"),
        ("COPY", "files with the pins"),
    ):
        if text in instruction:
            return name
    return "base image"


def up() -> float:
    """Run ``pulumi up`` as a person does; return its seconds."""
    begun = time.monotonic()
    line = f"source {StackPaths('local').environment} && pulumi up --yes --non-interactive --skip-preview"
    subprocess.run(["bash", "-c", line], cwd=CHECKOUT, check=True, capture_output=True)
    return time.monotonic() - begun


def main() -> None:
    """Show the layers, change the code, roll it out, and show which layers are new."""
    before = {image: layers(image) for image in IMAGES}
    source = SERVICE / "chatbot" / "__init__.py"
    original = source.read_text()
    try:
        source.write_text(original + f"# {time.time()}\n")
        seconds = up()
        after = {image: layers(image) for image in IMAGES}
    finally:
        source.write_text(original)
    rows, pushed = [], 0
    for image in IMAGES:
        known = {layer.digest for layer in before[image]}
        for layer in after[image]:
            new = layer.digest not in known
            pushed += layer.size if new else 0
            rows.append([image, layer.made_by, f"{layer.size / MIB:.2f}", "pushed anew" if new else "kept"])
        rows.append([image, "**together**", f"{sum(layer.size for layer in after[image]) / MIB:.1f}", ""])
    lines = table(["image", "layer", "MiB in the registry", "after a change of the code"], rows)
    lines += ["", f"A change of one line of code pushes **{pushed / MIB:.2f} MiB** and is rolled out by `pulumi up` in"]
    lines += [f"**{duration(seconds)}**: both images rebuilt, the engine replaced, the api's pods one after the other."]
    write("image", "The service's images", "python -m bench.image", lines)
    up()


if __name__ == "__main__":
    main()
