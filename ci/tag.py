"""Gives the images $REFERENCES (by digest, separated by spaces) the tag $TAG, in this order; standard library only.

Nothing is copied: a manifest is read by its digest and written under one more name. $DOCKER_CONFIG/config.json has the
login, where there is one; AIHUB_PLAIN_HTTP, from Jenkins' configuration, says whether the registry speaks plain HTTP.
"""

import base64
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

KINDS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""Of manifests, as a registry names them."""


def login(environment: Mapping[str, str], host: str) -> dict[str, str]:
    """Return the header that opens a registry; none where the pod has no login to it."""
    folder = environment.get("DOCKER_CONFIG")
    accounts = json.loads((Path(folder) / "config.json").read_text())["auths"] if folder else {}
    if host not in accounts:
        return {}
    pair = f"{accounts[host]['username']}:{accounts[host]['password']}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def tag(reference: str, name: str, environment: Mapping[str, str]) -> None:
    """Give one image a name.

    Raises:
        SystemExit: the registry refuses it, or has another image there.
    """
    host, _, rest = reference.partition("/")
    repository, _, digest = rest.partition("@")
    scheme = "http" if environment.get("AIHUB_PLAIN_HTTP") == "true" else "https"
    manifests, account = f"{scheme}://{host}/v2/{repository}/manifests", login(environment, host)
    asked = Request(f"{manifests}/{digest}", headers={"Accept": ", ".join(KINDS), **account})  # noqa: S310 - a stack's
    try:
        with urlopen(asked, timeout=60) as answer:  # noqa: S310 - the same
            manifest, kind = answer.read(), answer.headers["Content-Type"]
        if f"sha256:{hashlib.sha256(manifest).hexdigest()}" != digest:
            sys.exit(f"{reference}: the registry answers with another image")
        headers = {"Content-Type": kind, **account}
        named = Request(f"{manifests}/{name}", data=manifest, headers=headers, method="PUT")  # noqa: S310 - the same
        with urlopen(named, timeout=60):  # noqa: S310 - the same
            print(f"{host}/{repository}:{name} is {digest}")
    except HTTPError as error:
        sys.exit(f"{reference} is not named {name}: the registry answered {error.code}; run this build again")
    except URLError as error:
        sys.exit(f"{reference} is not named {name}: the registry does not answer ({error.reason}); make verify")


def main(environment: Mapping[str, str]) -> None:
    """Name them all."""
    for reference in environment["REFERENCES"].split():
        tag(reference, environment["TAG"], environment)


if __name__ == "__main__":
    main(os.environ)
