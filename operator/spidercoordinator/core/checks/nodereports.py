"""The findings that the doctors of nodes report, brought together.

A node's doctor (cni/internal/doctor) prints `LEVEL subject: observed: remedy` for each finding, and
last their number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast

from spidercoordinator.core.checks.diagnosis import Finding, Level
from spidercoordinator.core.status.abridged import abridged

_LINE: Final = re.compile(
    r"(?P<level>ERROR|WARNING|NOTE|UNSEEN) +"
    r"(?P<subject>.+?): (?P<observed>.+?)(?:: (?P<remedy>.*))?"
)
_COUNT: Final = re.compile(r"doctor: \d+ errors?, .*")
_MOST_NAMES: Final = 5
_ORDER: Final = ("ERROR", "WARNING", "NOTE", "UNSEEN")


def report_findings(text: str) -> list[Finding]:
    """The findings of one node's report; one that it cannot be read, where there are none in it."""
    lines = [line for line in text.splitlines() if line.strip()]
    found = [_LINE.fullmatch(line) for line in lines]
    findings = [
        Finding(
            cast("Level", each["level"]), each["subject"], each["observed"], each["remedy"] or ""
        )
        for each in found
        if each
    ]
    if not findings and not any(map(_COUNT.fullmatch, lines)):
        return [unseen(f"its doctor said {lines[0] if lines else 'nothing'}")]
    return findings


def unseen(why: str) -> Finding:
    """That a node could not be looked at."""
    return Finding("UNSEEN", "node", why, "see kubectl describe and the log of its installer's pod")


def together(reports: Mapping[str, list[Finding]]) -> list[Finding]:
    """All nodes' findings, worst first; what several nodes have in common is told once.

    Args:
        reports: findings by the name of the node.
    """
    nodes: dict[Finding, list[str]] = {}
    for node, findings in sorted(reports.items()):
        for finding in findings:
            nodes.setdefault(finding, []).append(node)
    merged = [
        Finding(each.level, f"{_where(names)}: {each.what}", each.value, each.advice)
        for each, names in nodes.items()
    ]
    return sorted(merged, key=lambda each: _ORDER.index(each.level))


def _where(names: list[str]) -> str:
    return f"node {names[0]}" if len(names) == 1 else f"nodes {abridged(names, _MOST_NAMES)}"
