"""The key with which pipelines sign images, as `cosign generate-key-pair` would write it: nobody needs cosign to begin.

The file is PEM around JSON (cosign's pkg/cosign/keys.go, go-securesystemslib's encrypted): an ECDSA key on P-256 as
PKCS #8, in a NaCl secret box, whose key scrypt makes of the password. cosign takes no key without one.
"""

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

LABEL = "ENCRYPTED SIGSTORE PRIVATE KEY"
PARAMETERS = {"N": 32768, "r": 8, "p": 1}
"""Of scrypt: the ones that every version of cosign takes; more work would add nothing to a random password."""
SCRYPT_BYTES = 256 * 2**20
"""Memory that scrypt may take; 65536, which newer versions of cosign write, needs a quarter of it."""


def make(password: str) -> str:
    """Return a new key, locked with ``password``."""
    plain = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    salt, nonce = os.urandom(32), os.urandom(SecretBox.NONCE_SIZE)
    box = SecretBox(_stretched(password, salt, PARAMETERS))
    locked = {
        "kdf": {"name": "scrypt", "params": PARAMETERS, "salt": _text(salt)},
        "cipher": {"name": "nacl/secretbox", "nonce": _text(nonce)},
        "ciphertext": _text(box.encrypt(plain, nonce).ciphertext),
    }
    body = _text(json.dumps(locked).encode())
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {LABEL}-----", *lines, f"-----END {LABEL}-----", ""])


def public_half(key: str, password: str) -> str | None:
    """Return the file ``cosign.pub`` of a key; None where the password does not open it, or it is none."""
    try:
        body = re.sub(r"-----(BEGIN|END) ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----|\s", "", key)
        locked: dict[str, Any] = json.loads(base64.b64decode(body, validate=True))
        salt, nonce, sealed = (
            base64.b64decode(text) for text in (locked["kdf"]["salt"], locked["cipher"]["nonce"], locked["ciphertext"])
        )
        plain = SecretBox(_stretched(password, salt, locked["kdf"]["params"])).decrypt(sealed, nonce)
    except (ValueError, LookupError, TypeError, CryptoError):
        return None
    public = load_der_private_key(plain, None).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _stretched(password: str, salt: bytes, parameters: Mapping[str, int]) -> bytes:
    return hashlib.scrypt(
        password.encode(),
        salt=salt,
        n=parameters["N"],
        r=parameters["r"],
        p=parameters["p"],
        maxmem=SCRYPT_BYTES,
        dklen=SecretBox.KEY_SIZE,
    )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
