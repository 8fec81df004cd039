"""Certificates as text: whom the stack's programs trust, and what a server of ours shows. A key is never among them."""

import warnings
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from pydantic import AfterValidator

OTHER_KEY = (
    "is not the key of registry.server.tls.certificate, or asks for a passphrase",
    "give the key that was made with it, as a file: make secret NAME=registryTlsKey < FILE; one with a passphrase is "
    "written without it by openssl pkey -in FILE",
)
"""What is wrong with a key, and what to do."""
SOON = timedelta(days=60)


def certificates(text: str) -> list[x509.Certificate]:
    """Return what a PEM text holds, one after the other.

    Raises:
        ValueError: a key is among them, none is there, one cannot be read, or has run out.
    """
    if "PRIVATE KEY-----" in text:
        raise ValueError("holds a private key, which everybody may read here: leave it out, and make another one")
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise ValueError(
            "must be certificates as PEM text: -----BEGIN CERTIFICATE----- and all that follows, below a `|`"
        ) from None
    for number, each in enumerate(found, start=1):
        if each.not_valid_after_utc < datetime.now(UTC):
            raise ValueError(f"certificate {number} ran out on {each.not_valid_after_utc:%Y-%m-%d}: replace it")
    return found


def end_soon(found: list[x509.Certificate]) -> datetime | None:
    """Return when the first of them runs out; None where that is not soon."""
    end = min(each.not_valid_after_utc for each in found)
    return end if end < datetime.now(UTC) + SOON else None


def as_text(found: list[x509.Certificate]) -> list[str]:
    """Return each as PEM text, without what people wrote around it."""
    return [each.public_bytes(Encoding.PEM).decode() for each in found]


def is_authority(certificate: x509.Certificate) -> bool:
    """Say whether it may sign others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def names(certificate: x509.Certificate) -> list[str]:
    """Return the names and addresses that it stands for; a common name is none, nobody looks at it any more."""
    try:
        listed = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in listed.get_values_for_type(x509.IPAddress)]
    return [*listed.get_values_for_type(x509.DNSName), *addresses]


def covers(certificate: x509.Certificate, host: str) -> bool:
    """Say whether it stands for a name: by that name, or by a ``*`` in the place of its first label."""
    wildcard = f"*.{host.partition('.')[2]}"
    return any(name.lower() in (host, wildcard) for name in names(certificate))


def comes_from(chain: list[x509.Certificate], authorities: list[x509.Certificate]) -> bool:
    """Say whether each of a chain signed the one before it, and one of the authorities the last."""
    return all(any(_signed(one, by) for by in by_whom) for one, by_whom in _steps(chain, authorities))


def public_authorities() -> list[x509.Certificate]:
    """Return those that everybody trusts, as Mozilla lists them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of one that is older than the rules
        return x509.load_pem_x509_certificates(certifi.contents().encode())


def fits(certificate: x509.Certificate, key: str) -> bool:
    """Say whether a private key, as PEM text without a passphrase, is the certificate's."""
    try:
        public = load_pem_private_key(key.encode(), None).public_key()
    except (ValueError, TypeError):
        return False
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(*form) == certificate.public_key().public_bytes(*form)


def _steps(
    chain: list[x509.Certificate], authorities: list[x509.Certificate]
) -> list[tuple[x509.Certificate, list[x509.Certificate]]]:
    """Return each of a chain with those of whom one must have signed it."""
    return [*((one, [by]) for one, by in pairwise(chain)), (chain[-1], authorities)]


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _authorities(text: str) -> str:
    found = certificates(text)
    for number, each in enumerate(found, start=1):
        if not is_authority(each):
            raise ValueError(f"certificate {number} may sign no other: give that of the authority that signed it")
    return "".join(as_text(found))


def _of_a_server(text: str) -> str:
    found = certificates(text)
    first = found[0]
    if is_authority(first):
        raise ValueError("the first certificate is an authority's: give the server's, and after it who signed that")
    if not names(first):
        raise ValueError("the first certificate stands for no name: have it made with a subjectAltName")
    return "".join(as_text(found))


Authorities = Annotated[str, AfterValidator(_authorities)]
"""Certificates of authorities, as PEM text."""
ServerCertificate = Annotated[str, AfterValidator(_of_a_server)]
"""A server's certificate, as PEM text; those between it and its authority follow."""
