"""What the testbed's IPAM is asked for."""

import pytest

from testbed import ipam
from testbed.errors import TestbedError


@pytest.mark.parametrize(("value", "wanted"), [("whereabouts", True), ("", False)])
def test_whereabouts_is_there_when_asked(
    monkeypatch: pytest.MonkeyPatch, value: str, wanted: bool
) -> None:
    monkeypatch.setenv("TESTBED_IPAM", value)
    assert ipam.wanted() is wanted


@pytest.mark.parametrize("value", ["host-local", "Whereabouts", "1", " "])
def test_others_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TESTBED_IPAM", value)
    with pytest.raises(TestbedError, match=f"TESTBED_IPAM='{value}': give whereabouts"):
        ipam.wanted()
