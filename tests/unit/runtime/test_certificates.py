"""The webhook's certificate: for which names, how long, and who is trusted."""

import os
import ssl
from pathlib import Path

import pytest

from spidercoordinator.runtime.certificates import (
    CERTIFICATE,
    KEY,
    CertificateError,
    _good,
    host_of,
    make,
)


@pytest.mark.parametrize(
    ("client", "host"),
    [
        ({"service": {"name": "a", "namespace": "b", "path": "/x"}}, "a.b.svc"),
        ({"url": "https://127.0.0.1:9443/x"}, "127.0.0.1"),
        ({"url": "https://[::1]:9443/x"}, "::1"),
        ({"url": "https://example.org/x"}, "example.org"),
    ],
)
def test_name_is_how_the_api_server_calls_it(client: dict[str, object], host: str) -> None:
    assert host_of(client) == host


async def test_made_certificate_is_good_and_its_own_authority(tmp_path: Path) -> None:
    names = ["a.b.svc", "127.0.0.1"]
    made = await make(names, tmp_path)
    assert await _good(made[CERTIFICATE], names)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - inside a coroutine
    (tmp_path / "crt").write_text(made[CERTIFICATE])
    (tmp_path / "key").write_text(made[KEY])
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "crt", tmp_path / "key")
    assert ssl.create_default_context(cadata=made[CERTIFICATE]).cert_store_stats()["x509"] == 1


@pytest.mark.parametrize(
    ("days", "names"), [(30, ["a.b.svc"]), (365, ["other.b.svc"]), (365, ["a.b.svc", "::1"])]
)
async def test_ending_or_foreign_certificate_is_not_good(
    tmp_path: Path, days: int, names: list[str]
) -> None:
    made = await make(["a.b.svc"], tmp_path, days=days)
    assert not await _good(made[CERTIFICATE], names)


async def test_what_is_no_certificate_is_not_good() -> None:
    assert not await _good("nonsense", [])


async def test_missing_openssl_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CertificateError, match="openssl command is not there"):
        await make(["a"], tmp_path)
