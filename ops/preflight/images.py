"""Are the copies of the vendor's images there, and can those be had that are not? Said before a copy is begun."""

from collections.abc import Callable

from infra.config import StackConfig
from infra.config.vendor_images import CopiedImage, VendorImagesConfig
from infra.registry.access import puller_of
from infra.registry.look import IMAGE, LOGIN, NAME, PORT, ROUTE, TLS, Question, Seen, look
from ops.credentials import kept
from ops.machine import Finding
from ops.paths import StackPaths

VENDOR_KEY = "vendorRegistryPassword"
FIXES = {
    NAME: "add the name to the DNS that is asked there, or to /etc/hosts; or correct registry.vendor.host",
    ROUTE: "have the firewall let this place reach that address and port, or copy from a machine that does",
    PORT: "ask the vendor which port its registry has, and correct registry.vendor.host",
    TLS: "let that place trust the certificate's authority (nodes: RKE2's registries.yaml), or have it renewed",
    LOGIN: f"set registry.vendor.username and its password (make secret NAME={VENDOR_KEY}), or ask for rights",
    IMAGE: "`make images` prints what each tag means today: correct the source, or ask the vendor where the image went",
}
"""Step -> what to do when it fails."""
Look = Callable[[Question, str], Seen]
NAMED = "vendor's images"


def question(vendor: VendorImagesConfig) -> Question:
    """Return what to ask the vendor's registry about: the tags."""
    tags = [f"{image.path}:{image.tag}" for image in vendor.images]
    return {"registry": vendor.host, "username": vendor.username or "", "images": tags}


def password(stack: str) -> str:
    """Return the password for the vendor's registry; empty where none was given yet."""
    return kept(StackPaths(stack)).get(VENDOR_KEY, "")


def looks(name: str, stack: StackConfig, ask: Look = look) -> list[Finding]:
    """Return what is to be said about the vendor's images.

    A copy that is there needs no vendor any more, so that a vendor's registry which is away stops nothing.

    Args:
        name: of the stack.
        stack: its configuration.
        ask: looks at a registry.
    """
    vendor = stack.registry.vendor
    if not vendor:
        return []
    if not vendor.mirror:
        says = f"{len(vendor.images)} images are not copied (registry.vendor.mirror); make images STACK={name} looks"
        return [Finding(name=NAMED, ok=True, says=says)]
    copies = _copies(name, stack, vendor, ask)
    others = [_another(image, found) for image in vendor.images if (found := _others(image, copies))]
    missing = [image for image in vendor.images if image.target not in copies]
    return [*others, *_sources(name, vendor, missing, ask)]


def _copies(name: str, stack: StackConfig, vendor: VendorImagesConfig, ask: Look) -> dict[str, list[str]]:
    """Return target -> the digests that it has, for those that are there and that nodes may pull."""
    account = puller_of(stack.registry)
    known = kept(StackPaths(name))
    asked: Question = {
        "registry": stack.registry.host,
        "username": account.username if account else "",
        "images": [image.target for image in vendor.images],
    }
    return ask(asked, known.get(account.key, "") if account else "")["digests"]


def _others(image: CopiedImage, copies: dict[str, list[str]]) -> str:
    """Return the digest of a copy that is of another image than the stack file says; empty: it is not."""
    found = copies.get(image.target)
    # A copy of one platform's image may be wrapped into a list of platforms, which has a digest of its own.
    return found[0] if found and image.digest not in found else ""


def _another(image: CopiedImage, found: str) -> Finding:
    return Finding(
        name=image.target,
        ok=False,
        says=f"is there already and another image ({found}) than {image.source}",
        fix="give the target a new version: what a version means never changes; or take the digest back",
    )


def _sources(name: str, vendor: VendorImagesConfig, missing: list[CopiedImage], ask: Look) -> list[Finding]:
    if not missing:
        return [Finding(name=NAMED, ok=True, says=f"all {len(vendor.images)} are copied")]
    asked: Question = {
        "registry": vendor.host,
        "username": vendor.username or "",
        "images": [f"{image.path}@{image.digest}" for image in missing],
    }
    seen = ask(asked, password(name))
    step = seen["step"]
    says = f"{step}: {seen['says']}" if step else f"{len(missing)} to be copied, and {vendor.host} has them"
    return [Finding(name=NAMED, ok=not step, says=says, fix=FIXES.get(step, ""))]
