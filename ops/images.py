"""``make images``: can the vendor's images be had, from here and from each worker; what do their tags mean today?"""

import sys
from collections.abc import Mapping

from infra.config.vendor_images import VendorImagesConfig
from infra.registry.look import Seen, look
from ops.credentials import stack_config
from ops.errors import OpsError
from ops.kubectl import Kubectl
from ops.looks import workers
from ops.paths import StackPaths
from ops.preflight.images import FIXES, password, question

HERE = "this machine"


def report(vendor: VendorImagesConfig, seen: Mapping[str, Seen]) -> str:
    """Return everything that is to be said.

    Args:
        vendor: the images.
        seen: place -> what was seen from there.
    """
    lines = [vendor.host]
    for place, its in seen.items():
        step = its["step"]
        said = f"{step}: {its['says']}" if step else its["says"]
        lines.append(f"  {'LACK' if step else 'ok  '}  {place:<20} {said}")
        if step in FIXES:
            lines.append(f"        {'':<20} -> {FIXES[step]}")
    return "\n".join([*lines, "images", *_images(vendor, seen)])


def _images(vendor: VendorImagesConfig, seen: Mapping[str, Seen]) -> list[str]:
    """Return two lines for each image: what its tag means today, as it may stand in the stack file."""
    lines = []
    for image in vendor.images:
        tag = f"{image.path}:{image.tag}"
        today = next((its["digests"][tag][0] for its in seen.values() if tag in its["digests"]), None)
        if today is None:
            state = "not seen from anywhere"
        elif image.digest is None:
            state = "write this source into the stack file"
        elif image.digest == today:
            state = "as in the stack file"
        else:
            state = "MOVED since then: to take it, write it into the stack file with a new version of the target"
        lines += [f"  {image.target:<32} {state}", f"    source: {tag}" + (f"@{today}" if today else "")]
    return lines


def _kubectl(paths: StackPaths) -> Kubectl | None:
    """Return the way to the cluster; None: there is none, which is said, and this machine alone looks."""
    try:
        return Kubectl.of(paths)
    except OpsError as error:
        print(error, file=sys.stderr)
        return None


def run(paths: StackPaths) -> int:
    """Look from everywhere and print what was seen; 1 where a step fails.

    Raises:
        OpsError: the stack names no vendor's registry.
    """
    stack = stack_config(paths.stack)
    vendor = stack.registry.vendor
    if not vendor:
        raise OpsError(f"stack {paths.stack} names no vendor's registry", "set registry.vendor in its file")
    asked, secret = question(vendor), password(paths.stack)
    kubectl = _kubectl(paths)
    answers = workers.answers(paths, stack, asked, secret, kubectl) if kubectl else {}
    seen = {HERE: look(asked, secret), **answers}
    print(report(vendor, seen))
    if not answers:
        print("No cluster answers, so no worker looked.")
    return 1 if any(its["step"] for its in seen.values()) else 0
