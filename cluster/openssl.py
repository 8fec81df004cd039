"""What openssl does for us: requests, certificates, dates. Pure text in, files out."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cluster import NodeError

CONFIGURATION = """\
[req]
distinguished_name = subject
x509_extensions = extensions
prompt = no

[subject]
{organisation}CN = {common_name}

[extensions]
subjectKeyIdentifier = hash
{extensions}
"""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whom a certificate names, and for what it may be used."""

    common_name: str
    """A component's user name, as RBAC sees it."""
    organisation: str | None = None
    """A group, as RBAC sees it."""
    usages: tuple[str, ...] = ()
    """``serverAuth`` and ``clientAuth``; none: an authority."""
    names: tuple[str, ...] = ()
    """Subject alternative names, as ``IP:...`` and ``DNS:...``."""

    def configuration(self) -> str:
        """Return openssl's configuration for this certificate."""
        if self.usages:
            extensions = [
                "basicConstraints = critical, CA:FALSE",
                "authorityKeyIdentifier = keyid",
                "keyUsage = critical, digitalSignature",
                f"extendedKeyUsage = {', '.join(self.usages)}",
            ]
        else:
            extensions = ["basicConstraints = critical, CA:TRUE", "keyUsage = critical, keyCertSign, cRLSign"]
        if self.names:
            extensions.append(f"subjectAltName = {', '.join(self.names)}")
        organisation = f"O = {self.organisation}\n" if self.organisation else ""
        return CONFIGURATION.format(
            common_name=self.common_name, organisation=organisation, extensions="\n".join(extensions)
        )


def run(*arguments: str) -> str:
    """Run openssl and return what it printed.

    Raises:
        NodeError: it failed or is absent.
    """
    try:
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NodeError("openssl is not installed", "apt-get install openssl") from None
    if done.returncode:
        raise NodeError(
            f"openssl {arguments[0]} failed: {done.stderr.strip()[-400:]}", "openssl 3.0 or newer is needed"
        )
    return done.stdout


def issue(subject: Subject, certificate: Path, key: Path, days: int, authority: tuple[Path, Path] | None) -> None:
    """Make a key (P-256) and its certificate; ``authority`` is the issuer's certificate and key, None: self-signed.

    Both files appear whole or not at all, readable by their owner alone.
    """
    configuration, new_key, new_certificate = (
        path.with_suffix(".new" + path.suffix) for path in (certificate.with_suffix(".cnf"), key, certificate)
    )
    configuration.write_text(subject.configuration())
    issuer = ("-CA", str(authority[0]), "-CAkey", str(authority[1])) if authority else ()
    run(
        "req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-sha256",
        "-config", str(configuration), "-days", str(days),
        "-keyout", str(new_key), "-out", str(new_certificate), *issuer,
    )  # fmt: skip
    new_key.chmod(0o600)
    new_key.rename(key)
    new_certificate.rename(certificate)
    configuration.unlink()


def lasts(certificate: Path, seconds: int) -> bool:
    """Say whether a certificate is still valid in ``seconds``."""
    command = ["openssl", "x509", "-in", str(certificate), "-noout", "-checkend", str(seconds)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def end(certificate: Path) -> float:
    """Return when a certificate ends, in seconds since 1970.

    Raises:
        NodeError: it cannot be read.
    """
    shown = run("x509", "-in", str(certificate), "-noout", "-enddate")
    return ssl.cert_time_to_seconds(shown.strip().partition("=")[2])
