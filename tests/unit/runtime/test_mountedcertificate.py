"""A certificate that others mount: what they write beside it keeps it from nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spidercoordinator.runtime.certificates import self_signed
from spidercoordinator.runtime.mountedcertificate import MountedCertificate


@pytest.mark.parametrize("beside", [b"", b"    friendlyName: Z\xfcrich\n", b"\xff\xfe\x00\n"])
async def test_its_end_is_known_whatever_is_written_beside_it(
    tmp_path: Path, beside: bytes
) -> None:
    made = datetime.now(UTC)
    pair = self_signed(["example.org"], made, validity=timedelta(days=9))
    (tmp_path / "tls.crt").write_bytes(beside + pair.certificate.encode())
    (tmp_path / "tls.key").write_bytes(beside + pair.private_key.encode())
    told: list[str] = []
    mounted = MountedCertificate(tmp_path, told.append)
    looking = asyncio.create_task(mounted.run())
    async with asyncio.timeout(10):
        await mounted.served.wait()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert told == [""]
    assert mounted.ends() == pytest.approx((made + timedelta(days=9)).timestamp(), abs=2)
