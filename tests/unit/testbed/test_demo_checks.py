"""A check says what is wrong, or nothing; the demo fails on the first one that speaks."""

import pytest

from testbed.demo.checks import (
    Check,
    answered_by,
    identified,
    is_dropped,
    prints,
    renders,
    shows_address,
    succeeds,
)
from testbed.demo.shell import Result

NAD = '{"plugins": [{"type": "coordinator", "vethLinkAddress": "169.254.100.1"}]}'
MUTUAL = "answered-by 8080\nx-forwarded-client-cert By=spiffe://b;Hash=0a;URI=spiffe://a\n"
VETH0 = "    inet 169.254.100.1/32 scope global veth0\n"


@pytest.mark.parametrize(
    ("check", "status", "output"),
    [
        (succeeds, 0, ""),
        (prints("patched", "default"), 0, "default patched\n"),
        (shows_address("169.254.100.1"), 0, VETH0),
        (renders("169.254.100.1"), 0, NAD),
        (answered_by(15006), 0, "answered-by 15006\n"),
        (identified("spiffe://a"), 0, MUTUAL),
        (is_dropped, 1, "fetch: http://x/: timed out: no answer in 3s\n"),
    ],
)
def test_is_content(check: Check, status: int, output: str) -> None:
    assert check(Result("command", status, output)) is None


@pytest.mark.parametrize(
    ("check", "status", "output", "complaint"),
    [
        (succeeds, 7, "", "status 7"),
        (prints("patched"), 0, "no change\n", "'patched'"),
        (prints("patched"), 1, "patched\n", "status 1"),
        (shows_address("169.254.100.1"), 0, "2: veth0\n", "no address"),
        (shows_address("169.254.100.1"), 0, "    inet 10.0.0.1/8\n", "10.0.0.1, not 169.254.100.1"),
        (shows_address("169.254.100.1"), 1, VETH0, "status 1"),
        (renders(""), 0, NAD, "'169.254.100.1', not ''"),
        (renders(""), 0, "", "None, not ''"),
        (answered_by(15006), 0, "answered-by 8080\n", "port 8080 answered, not 15006"),
        (answered_by(15006), 1, "answered-by 15006\n", "status 1"),
        (identified("spiffe://b"), 0, MUTUAL, "saw spiffe://a, not spiffe://b"),
        (identified("spiffe://a"), 0, "answered-by 8080\n", "no certificate"),
        (identified("spiffe://a"), 1, MUTUAL, "status 1"),
        (is_dropped, 0, "answered-by 8080\n", "was answered"),
        (is_dropped, 1, "fetch: connection refused\n", "in another way"),
    ],
)
def test_complains(check: Check, status: int, output: str, complaint: str) -> None:
    assert complaint in (check(Result("command", status, output)) or "")
