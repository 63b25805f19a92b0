"""What became of a suite on a kernel, and the table of all of it."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Outcome:
    """How a suite ended on a kernel.

    Attributes:
        seconds: from power-on to the end.
        processor: seconds of the host's processors that it took.
        known: tests that fail and are marked so, as long as they do.
        whole: a skipped test counts as a failure here.
        trouble: why there are no counts to rely on; empty when the tests came to their end.
    """

    kernel: str
    suite: str
    seconds: float
    processor: float = 0.0
    passed: int = 0
    failed: int = 0
    known: int = 0
    skipped: int = 0
    whole: bool = False
    trouble: str = ""

    @property
    def good(self) -> bool:
        """Tell whether tests ran and none failed, or was left out that must not be."""
        left_out = self.whole and self.skipped > 0
        return not self.trouble and not self.failed and not left_out and self.passed > 0


def outcome(begun: Outcome, junit: str, status: str) -> Outcome:
    """Return the outcome that pytest's report and exit status tell; either may be empty.

    Args:
        begun: the outcome as far as it is known without them.
        junit: the text of pytest's report.
        status: of pytest, as a shell writes it.
    """
    if not status.strip():
        return replace(begun, trouble="the guest ended before its tests did")
    if not junit:
        return replace(begun, trouble=f"pytest ended with {status.strip()} and wrote no report")
    # The report is pytest's own, of this run.
    (suite,) = ET.fromstring(junit).iter("testsuite")  # noqa: S314
    total, failures, errors, left_out = (
        int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
    )
    # Pytest counts tests that fail as they are expected to among those that it left out.
    known = sum(each.get("type") == "pytest.xfail" for each in suite.iter("skipped"))
    failed = failures + errors
    trouble = ""
    if status.strip() != "0" and not failed:
        trouble = f"pytest ended with {status.strip()}"
    return replace(
        begun,
        passed=max(0, total - failed - left_out),
        failed=failed,
        known=known,
        skipped=left_out - known,
        trouble=trouble,
    )


def table(outcomes: list[Outcome]) -> str:
    """Return one line a suite and kernel, under a line of headings."""
    head = f"{'kernel':<16} {'suite':<14} {'passed':>6} {'failed':>6} {'known':>5} {'skipped':>7}"
    return "\n".join([f"{head} {'minutes':>7} {'CPU':>5}", *(_row(each) for each in outcomes)])


def _row(each: Outcome) -> str:
    counts = f"{each.passed:>6} {each.failed:>6} {each.known:>5} {each.skipped:>7}"
    minutes = f"{each.seconds / 60:>7.1f} {each.processor / 60:>5.1f}"
    text = f"{each.kernel:<16} {each.suite:<14} {counts} {minutes}"
    return f"{text}  {_why(each)}" if not each.good else text


def _why(each: Outcome) -> str:
    if each.trouble:
        return each.trouble
    if each.failed:
        return "tests failed"
    return "tests were skipped, and every one has to run" if each.passed else "no test has run"
