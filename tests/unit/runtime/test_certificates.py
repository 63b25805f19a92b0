"""The webhook's certificate: for which names, how long, what is renewed, and who accepts it."""

from __future__ import annotations

import base64
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from spidercoordinator.runtime.certificaterotator import decoded, server_name
from spidercoordinator.runtime.certificates import (
    RENEW_BEFORE,
    VALIDITY,
    CertificateError,
    KeyPair,
    is_certificate,
    renewal_reason,
    self_signed,
)

NOW = datetime.now(UTC).replace(microsecond=0)
NAMES = ["a.b.svc", "127.0.0.1", "::1"]
PAIR, OTHER = self_signed(NAMES, NOW), self_signed(NAMES, NOW)
SECOND = timedelta(seconds=1)
BROKEN = PAIR.certificate[:200] + PAIR.certificate[240:]


def encrypted(pair: KeyPair) -> str:
    key = serialization.load_pem_private_key(pair.private_key.encode(), password=None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    ).decode()


@pytest.mark.parametrize(
    ("client_config", "name"),
    [
        ({"service": {"name": "a", "namespace": "b", "path": "/x"}}, "a.b.svc"),
        ({"url": "https://127.0.0.1:9443/x"}, "127.0.0.1"),
        ({"url": "https://[::1]:9443/x"}, "::1"),
        ({"url": "https://example.org/x"}, "example.org"),
    ],
)
def test_name_is_how_the_api_server_calls_it(client_config: dict[str, object], name: str) -> None:
    assert server_name(client_config) == name


@pytest.mark.parametrize(
    ("pair", "names", "age", "reason"),
    [
        pytest.param(PAIR, NAMES, timedelta(), "", id="new"),
        pytest.param(PAIR, ["A.b.SVC"], timedelta(), "", id="capitals"),
        pytest.param(PAIR, ["0:0:0:0:0:0:0:1"], timedelta(), "", id="an address in full"),
        pytest.param(PAIR, [], timedelta(), "", id="no names wanted"),
        pytest.param(PAIR, NAMES, -timedelta(minutes=50), "", id="a clock that is behind"),
        pytest.param(PAIR, NAMES, -timedelta(hours=2), "not valid before", id="not valid yet"),
        pytest.param(PAIR, NAMES, VALIDITY - RENEW_BEFORE - SECOND, "", id="almost due"),
        pytest.param(PAIR, NAMES, VALIDITY - RENEW_BEFORE, "it ends on", id="due"),
        pytest.param(PAIR, NAMES, VALIDITY + SECOND, "it ends on", id="expired"),
        pytest.param(PAIR, ["x.b.svc"], timedelta(), "not for x.b.svc", id="other name"),
        pytest.param(PAIR, ["b.svc"], timedelta(), "not for b.svc", id="only a part of a name"),
        pytest.param(
            PAIR, [*NAMES, "::2", "10.0.0.1"], timedelta(), "10.0.0.1, ::2", id="addresses"
        ),
        pytest.param(
            self_signed(["127.0.0.1.example"], NOW),
            ["127.0.0.1"],
            timedelta(),
            "not for 127.0.0.1",
            id="a DNS name that begins like the address",
        ),
        pytest.param(self_signed([], NOW), ["a"], timedelta(), "not for a", id="for no name"),
        pytest.param(
            KeyPair(PAIR.certificate, OTHER.private_key),
            NAMES,
            timedelta(),
            "private key is not that",
            id="key of another",
        ),
        *(
            pytest.param(pair, NAMES, timedelta(), "it cannot be read: ", id=what)
            for what, pair in {
                "nothing": KeyPair("", ""),
                "nonsense": KeyPair("nonsense", PAIR.private_key),
                "broken PEM": KeyPair(BROKEN, PAIR.private_key),
                "a key as certificate": KeyPair(PAIR.private_key, PAIR.private_key),
                "no key": KeyPair(PAIR.certificate, ""),
                "nonsense as key": KeyPair(PAIR.certificate, "nonsense"),
                "a certificate as key": KeyPair(PAIR.certificate, PAIR.certificate),
                "an encrypted key": KeyPair(PAIR.certificate, encrypted(PAIR)),
            }.items()
        ),
    ],
)
def test_renewal_reason(pair: KeyPair, names: list[str], age: timedelta, reason: str) -> None:
    found = renewal_reason(pair, names, NOW + age)
    assert reason in found
    assert bool(found) == bool(reason)
    assert "\n" not in found


def test_what_is_in_it() -> None:
    certificate = x509.load_pem_x509_certificate(PAIR.certificate.encode())
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert certificate.issuer == certificate.subject
    certificate.verify_directly_issued_by(certificate)
    assert certificate.not_valid_after_utc == NOW + timedelta(days=365)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert (
        certificate.serial_number
        != x509.load_pem_x509_certificate(OTHER.certificate.encode()).serial_number
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_trusts_it_accepts_it(tmp_path: Path, name: str) -> None:
    # Beside a former one, as in the caBundle, and by the strict rules of RFC 5280.
    client = ssl.create_default_context(cadata=OTHER.certificate + PAIR.certificate)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    assert shake_hands(client, PAIR, name, tmp_path)


@pytest.mark.parametrize(
    ("trusted", "name"), [(OTHER, "a.b.svc"), (PAIR, "x.b.svc"), (PAIR, "127.0.0.2")]
)
def test_a_client_refuses_another_certificate_and_other_names(
    tmp_path: Path, trusted: KeyPair, name: str
) -> None:
    client = ssl.create_default_context(cadata=trusted.certificate)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(client, PAIR, name, tmp_path)


def shake_hands(client: ssl.SSLContext, served: KeyPair, name: str, folder: Path) -> bool:
    """A TLS handshake in memory, with what is served from files as the webhook does."""
    (folder / "crt").write_text(served.certificate)
    (folder / "key").write_text(served.private_key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "crt", folder / "key")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(10):
        for side in tuple(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)
    return not sides


@pytest.mark.parametrize("name", ["bücher.example", "a\x00é"])
def test_a_name_that_fits_no_certificate_is_said(name: str) -> None:
    with pytest.raises(CertificateError, match="no certificate can be made for"):
        self_signed([name], NOW)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (PAIR.certificate, True),
        (PAIR.private_key, False),
        (BROKEN, False),
        ("nonsense", False),
        ("", False),
    ],
)
def test_is_certificate(text: str, is_one: bool) -> None:
    assert is_certificate(text) is is_one


@pytest.mark.parametrize(
    ("secret", "texts"),
    [
        (None, {}),
        ({}, {}),
        ({"data": None}, {}),
        ({"data": {"tls.crt": base64.b64encode(b"text").decode()}}, {"tls.crt": "text"}),
        ({"data": {"tls.crt": "no base64", "tls.key": "dGV4dA=="}}, {"tls.key": "text"}),
        ({"data": {"tls.crt": base64.b64encode(b"\xff").decode()}}, {}),
    ],
)
def test_rubbish_in_a_secret_counts_as_missing(
    secret: dict[str, object] | None, texts: dict[str, str]
) -> None:
    assert decoded(secret) == texts
