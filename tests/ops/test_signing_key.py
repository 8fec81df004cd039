"""The signing key is one that cosign reads: made here, and read from what cosign's own library wrote."""

import base64
import json

import pytest

from ops.signing_key import LABEL, make, public_half

PASSWORD = "made in Go"
KEY = """\
-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiJkMk10RWc3dHdsVkFmeTVSS2h3MElud0oyT2xveXAr
ZTdBWkdLRlZCZFprPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJmanNwOFJVQ0x4ZFNtWjA3V04xZmpsemh1SE9GRlpmRyJ9LCJj
aXBoZXJ0ZXh0IjoiaFdaS3NleldYeTBRcmdjdTZmMnVBbFM0RUpGK3RSUndHVnh3
R05saWxVcHdkRXlqSitnZmUvYnN2ZUFhQk5mOVB0MmttZWFTcFE1YVl1WU1vY0Q1
cTU0VVQ5eVJuc0FtamljQlJ4ZS9oLzJSclRGZkk5SmhHZENGUkJaTUlYR2xoQmtE
VVJzOW5PN3pjeHk5eE14U0REaC9NVTFILzdqS2pXMGFLUHRMdlQ1QmlRZWdyb2Mx
bUJmNDdzYXNOZVk4L09rZHJCaUh3dmJlc2c9PSJ9
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
"""
"""Written by go-securesystemslib v0.9.1, which cosign uses, around a key of Go's crypto/ecdsa."""
PUBLIC = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1KdFob6tmzqZDhnmdHslj7lP0pey
VJDEylqi5DhDLD/5KCXwgvK33EBTl+Tt4Y6FFbcxafQFdjoxS3iT1iLH2Q==
-----END PUBLIC KEY-----
"""


def test_a_key_of_cosign_s_library_is_read() -> None:
    assert public_half(KEY, PASSWORD) == PUBLIC


def test_what_is_made_has_the_same_shape() -> None:
    ours, theirs = (json.loads(base64.b64decode("".join(key.splitlines()[1:-1]))) for key in (make("secret"), KEY))
    assert ours["kdf"].keys() == theirs["kdf"].keys()
    assert ours["cipher"].keys() == theirs["cipher"].keys()
    assert ours.keys() == theirs.keys()
    assert len(ours["ciphertext"]) == len(theirs["ciphertext"])
    assert make("secret").splitlines()[0] == KEY.splitlines()[0] == f"-----BEGIN {LABEL}-----"


def test_no_two_are_alike_and_each_opens_with_its_password_alone() -> None:
    one, other = make("secret"), make("secret")
    assert public_half(one, "secret") != public_half(other, "secret")
    assert public_half(one, "Secret") is None


@pytest.mark.parametrize("text", ["", "no key", KEY.replace("A", "B", 3), KEY.replace("SIGSTORE", "RSA")])
def test_what_is_no_key_of_cosign_s_is_none(text: str) -> None:
    assert public_half(text, PASSWORD) is None
