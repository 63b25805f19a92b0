"""Make and judge a serving certificate that is its own authority, on plain data.

Importing this loads `cryptography`, 13 MB: only what needs a certificate does.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from spidercoordinator.errors import SpiderCoordinatorError

VALIDITY: Final = timedelta(days=365)
RENEW_BEFORE: Final = timedelta(days=60)
"""A certificate that ends sooner than this is renewed."""
_CLOCK_SKEW: Final = timedelta(hours=1)
"""A certificate is valid from so long before it is made: the API server's clock may be behind."""

_UNREADABLE: Final = (
    ValueError,
    TypeError,  # an encrypted key
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for what it cannot read."""

_COMMON_NAME: Final = "spidercoordinator-webhook"


class CertificateError(SpiderCoordinatorError):
    """No certificate can be made for these names."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, both as PEM.

    Attributes:
        certificate: the certificate.
        private_key: its key, PKCS #8, not encrypted.
    """

    certificate: str
    private_key: str


def self_signed(names: Sequence[str], now: datetime, *, validity: timedelta = VALIDITY) -> KeyPair:
    """A new certificate for these DNS names and IP addresses, on a new P-256 key.

    Raises:
        CertificateError: a name can be in no certificate.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _COMMON_NAME)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + validity)
    )
    for extension, critical in _extensions(names, key.public_key()):
        builder = builder.add_extension(extension, critical)
    return KeyPair(
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )


def renewal_reason(pair: KeyPair, names: Sequence[str], now: datetime) -> str:
    """Why a certificate must be made anew; empty while it serves all the names for a while."""
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
        alternatives = _alternative_names(certificate)
        key = serialization.load_pem_private_key(pair.private_key.encode(), password=None)
        own_key = key.public_key() == certificate.public_key()
    except _UNREADABLE as error:
        return f"it cannot be read: {_first_line(error)}"
    if not own_key:
        return "the private key is not that of the certificate"
    missing = sorted(name for name in names if _comparable(name) not in alternatives)
    if missing:
        return f"it is not for {', '.join(missing)}"
    if now < certificate.not_valid_before_utc:
        return f"it is not valid before {certificate.not_valid_before_utc:%F}"
    if now >= certificate.not_valid_after_utc - RENEW_BEFORE:
        return f"it ends on {certificate.not_valid_after_utc:%F}"
    return ""


def is_certificate(pem: str) -> bool:
    """Whether the text is one certificate, good or not, or several; all of them can be read."""
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except _UNREADABLE:
        return False
    return True


def not_after(pem: str) -> datetime:
    """When a certificate ends, of several the first.

    Raises:
        ValueError: it is none.
    """
    return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc


def _extensions(
    names: Sequence[str], key: ec.EllipticCurvePublicKey
) -> list[tuple[x509.ExtensionType, bool]]:
    """Those of a server that is its own root; each with whether it is critical."""
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        # Go takes a leaf that is in the roots as it is; others want a root to be a CA.
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
        # Tells this root from the former one, which has the same name.
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(key), False),
    ]
    if names:
        extensions.append((x509.SubjectAlternativeName(map(_general_name, names)), False))
    return extensions


def _general_name(name: str) -> x509.GeneralName:
    address = _comparable(name)
    if not isinstance(address, str):
        return x509.IPAddress(address)
    try:
        return x509.DNSName(name)
    except ValueError as error:
        raise CertificateError(f"no certificate can be made for {name!r}: {error}") from error


def _alternative_names(certificate: x509.Certificate) -> set[str | _Address]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = found.get_values_for_type(x509.IPAddress)
    return {
        *(name.lower() for name in found.get_values_for_type(x509.DNSName)),
        *(each for each in addresses if isinstance(each, _Address)),
    }


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _comparable(name: str) -> str | _Address:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return name.lower()


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0]
