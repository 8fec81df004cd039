"""Are the vendor's images there that pods will run, and can those be copied that are not? Said before anything is."""

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
    TLS: "have it renewed; or let its authority be trusted: by this machine's own list, by the pods that look "
    "(network.authorities), and by nodes (RKE2's registries.yaml), which only a pull shows",
    LOGIN: f"set registry.vendor.username and its password (make secret NAME={VENDOR_KEY}), or ask for rights",
    IMAGE: "`make images` prints what each tag means today: correct the source, or ask the vendor where the image went",
}
"""Step -> what to do when it fails."""
Look = Callable[[Question, str], Seen]
NAMED, DECLARED = "vendor's images", "images of aipp"


def question(vendor: VendorImagesConfig) -> Question:
    """Return what to ask the vendor's registry about: the tags."""
    tags = [f"{image.path}:{image.tag}" for image in vendor.images]
    return {"registry": vendor.host, "username": vendor.username or "", "images": tags}


def password(stack: str) -> str:
    """Return the password for the vendor's registry; empty where none was given yet."""
    return kept(StackPaths(stack)).get(VENDOR_KEY, "")


def looks(name: str, stack: StackConfig, before_up: bool = False, ask: Look = look) -> list[Finding]:
    """Return what is to be said about the vendor's images.

    A copy that is there needs no vendor any more, so that a vendor's registry which is away stops nothing.

    Args:
        name: of the stack.
        stack: its configuration.
        before_up: what Argo CD would wait for is said and stops nothing: it takes up an image that comes later, and
            the project into which people push it may be made by this `up`.
        ask: looks at a registry.
    """
    vendor = stack.registry.vendor
    if not vendor or not vendor.mirror:
        return _declared(name, stack, before_up, ask)
    seen = _ours(name, stack, [image.target for image in vendor.images], ask)
    copies = seen["digests"] if seen else {}
    others = [_another(image, found) for image in vendor.images if (found := _others(image, copies))]
    missing = [image for image in vendor.images if image.target not in copies]
    return [*others, *_sources(name, vendor, missing, ask), *_declared(name, stack, before_up, ask)]


def _ours(name: str, stack: StackConfig, images: list[str], ask: Look) -> Seen | None:
    """Return what nodes would see of these images; None: their account has no password yet."""
    account = puller_of(stack.registry)
    secret = kept(StackPaths(name)).get(account.key, "") if account else ""
    if account and not secret:
        return None
    return ask(
        {"registry": stack.registry.host, "username": account.username if account else "", "images": images}, secret
    )


def _declared(name: str, stack: StackConfig, before_up: bool, ask: Look) -> list[Finding]:
    """Return what is to be said about the images that the services name and nobody copies."""
    vendor, aipp, prefix = stack.registry.vendor, stack.aipp, f"{stack.registry.host}/"
    if not aipp:
        return []
    copied = {image.target for image in vendor.images} if vendor and vendor.mirror else set()
    named = [its.image for field, its in aipp.services().items() if field != "linker" or aipp.linker.gpu_count]
    wanted = [_asked(image.removeprefix(prefix)) for image in named if image.startswith(prefix)]
    wanted = [image for image in wanted if image not in copied]
    if not wanted:
        return []
    seen = _ours(name, stack, wanted, ask)
    if seen is None:
        says = f"not looked for: there is no password yet for the account that pulls from {stack.registry.host}"
        return [Finding(name=DECLARED, ok=True, says=says)]
    if missing := [image for image in wanted if image not in seen["digests"]]:
        return [
            Finding(
                name=DECLARED,
                ok=before_up and aipp.delivery == "argocd",
                says=f"{stack.registry.host} does not give {', '.join(missing)} ({seen['says']})",
                fix=f"have them copied, by make images STACK={name} and registry.vendor.mirror: true "
                "(docs/registry.md), or push them there by hand",
            )
        ]
    return [Finding(name=DECLARED, ok=True, says=f"all {len(wanted)} are at {stack.registry.host}")]


def _asked(image: str) -> str:
    """Return PATH:TAG, or PATH@DIGEST where there is a digest."""
    path, _, digest = image.partition("@")
    return f"{path.rpartition(':')[0] or path}@{digest}" if digest else image


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
