"""What became of a suite on a kernel, and the table of all of it."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """How a suite ended on a kernel.

    Attributes:
        seconds: from power-on to the end.
        trouble: why there are no counts to rely on; empty when the tests came to their end.
    """

    kernel: str
    suite: str
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    trouble: str = ""

    @property
    def good(self) -> bool:
        """Tell whether tests ran and none failed."""
        return not self.trouble and not self.failed and self.passed > 0


def outcome(kernel: str, suite: str, seconds: float, junit: str, status: str) -> Outcome:
    """Return the outcome that pytest's report and exit status tell; either may be empty."""
    if not status.strip():
        return Outcome(kernel, suite, seconds, trouble="the guest ended before its tests did")
    if not junit:
        trouble = f"pytest ended with {status.strip()} and wrote no report"
        return Outcome(kernel, suite, seconds, trouble=trouble)
    # The report is pytest's own, of this run.
    (counts,) = ET.fromstring(junit).iter("testsuite")  # noqa: S314
    total, failures, errors, skipped = (
        int(counts.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    trouble = ""
    if status.strip() != "0" and not failed:
        trouble = f"pytest ended with {status.strip()}"
    return Outcome(
        kernel, suite, seconds, max(0, total - failed - skipped), failed, skipped, trouble
    )


def table(outcomes: list[Outcome]) -> str:
    """Return one line a suite and kernel, under a line of headings."""
    head = f"{'kernel':<16} {'suite':<14} {'passed':>6} {'failed':>6} {'skipped':>7} {'seconds':>7}"
    return "\n".join([head, *(_row(each) for each in outcomes)])


def _row(each: Outcome) -> str:
    counts = f"{each.passed:>6} {each.failed:>6} {each.skipped:>7}"
    text = f"{each.kernel:<16} {each.suite:<14} {counts} {each.seconds:>7.0f}"
    return f"{text}  {each.trouble}" if each.trouble else text
