"""What must be true of a command's result: small functions that say what is wrong. No I/O."""

from collections.abc import Callable

from testbed.demo.parse import addresses, answer, identity, veth_link_address
from testbed.demo.shell import Result

Check = Callable[[Result], str | None]
"""Says what is wrong with a result, in a few words; None when nothing is."""


def succeeds(result: Result) -> str | None:
    """Require that a command exits with 0."""
    return None if result.ok else f"it failed with status {result.status}"


def prints(*parts: str) -> Check:
    """Require success and every one of `parts` in the output."""

    def check(result: Result) -> str | None:
        missing = [part for part in parts if part not in result.output]
        return succeeds(result) or (f"its output has no {missing[0]!r}" if missing else None)

    return check


def shows_address(expected: str) -> Check:
    """Require that `ip addr show` lists the address."""

    def check(result: Result) -> str | None:
        found = addresses(result.output)
        wrong = f"the interface has {', '.join(found) or 'no address'}, not {expected}"
        return succeeds(result) or (None if expected in found else wrong)

    return check


def renders(expected: str) -> Check:
    """Require the given vethLinkAddress in a NetworkAttachmentDefinition's config."""

    def check(result: Result) -> str | None:
        found = veth_link_address(result.output)
        wrong = f"vethLinkAddress is {found!r}, not {expected!r}"
        return succeeds(result) or (None if found == expected else wrong)

    return check


def answered_by(port: int) -> Check:
    """Require an answer of the redirect listener on the given port."""

    def check(result: Result) -> str | None:
        taken = answer(result.output).get("answered-by")
        wrong = f"port {taken} answered, not {port}"
        return succeeds(result) or (None if taken == str(port) else wrong)

    return check


def identified(expected: str) -> Check:
    """Require an answer to a request that came in by mutual TLS, from the given identity."""

    def check(result: Result) -> str | None:
        found = identity(result.output)
        wrong = f"the proxy saw {found or 'no certificate'}, not {expected}"
        return succeeds(result) or (None if found == expected else wrong)

    return check


def is_dropped(result: Result) -> str | None:
    """Require that a request got no answer: not refused, not unreachable, but lost."""
    if result.ok:
        return "the request was answered"
    return None if "timed out" in result.output else "the request failed in another way"
