"""The key that `make up` makes, the pipeline's step, and cosign itself. Follows test_chain.py."""

import re
from pathlib import Path

import pytest

from ops import signing_key
from tests.live.wsl import signature
from tests.live.wsl.jenkins import tag_of
from tests.live.wsl.platform import Platform

pytestmark = pytest.mark.live


def test_image_signed_by_the_pipeline_is_verified_and_no_other(platform: Platform, tmp_path: Path) -> None:
    if not signature.is_here():
        pytest.skip("cosign is not built: python -m toolchain cosign")
    secrets, public = platform.gitea.secrets, tmp_path / "cosign.pub"
    pushed = re.findall(r"^Pushed (\S+@sha256:\w+)", "\n".join(platform.jenkins.builds.values()), re.MULTILINE)
    signed, other = pushed[-1], pushed[0]
    assert signed != other
    public.write_text(signing_key.public_half(secrets["cosignKey"], secrets["cosignPassword"]) or "")
    assert not signature.holds(signed, public)
    signature.sign(signed, secrets, tmp_path)
    assert signature.holds(signed, public)
    assert signature.holds(signed, public, "verify-attestation", "--type=cyclonedx")
    assert not signature.holds(other, public)
    stranger = tmp_path / "stranger.pub"
    stranger.write_text(signing_key.public_half(signing_key.make("theirs"), "theirs") or "")
    assert not signature.holds(signed, stranger)
    commit = next(commit for commit, word in platform.jenkins.builds.items() if signed in word)
    assert platform.updater.newest() == tag_of(commit)  # what cosign pushed beside it is no version
