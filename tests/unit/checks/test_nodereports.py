"""The reports of nodes' doctors, brought together."""

from __future__ import annotations

import pytest

from spidercoordinator.core.checks.diagnosis import Finding
from spidercoordinator.core.checks.nodereports import report_findings, together

COUNT = "doctor: 1 error, 0 warnings, 0 notes, 0 things that cannot be seen from here"


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        (
            "ERROR    link veth0: is down: ip link set veth0 up",
            Finding("ERROR", "link veth0", "is down", "ip link set veth0 up"),
        ),
        (
            "WARNING  neighbour fd00::1 of veth0: there is no route to it: ip neigh del: now",
            Finding(
                "WARNING",
                "neighbour fd00::1 of veth0",
                "there is no route to it",
                "ip neigh del: now",
            ),
        ),
        ("UNSEEN   files: cannot be seen", Finding("UNSEEN", "files", "cannot be seen", "")),
    ],
)
def test_each_line_is_a_finding(line: str, finding: Finding) -> None:
    assert report_findings(f"{line}\n{COUNT}\n") == [finding]
    if finding.advice:
        assert finding.line == line


def test_a_healthy_node_has_none() -> None:
    assert report_findings(COUNT.replace("1 error", "0 errors")) == []


@pytest.mark.parametrize("text", ["", "\n", "coordinator-install: doctor: no netlink"])
def test_a_report_that_is_none_is_not_taken_for_health(text: str) -> None:
    [finding] = report_findings(text)
    assert finding.level == "UNSEEN"


def test_what_nodes_have_in_common_is_told_once_and_the_worst_first() -> None:
    note, error = Finding("NOTE", "a", "b", "c"), Finding("ERROR", "d", "e", "f")
    reports = {f"n{number}": [note] for number in range(7)} | {"n3": [note, error]}
    assert [each.line for each in together(reports)] == [
        "ERROR    node n3: d: e: f",
        "NOTE     nodes n0, n1, n2, n3, n4 and 2 more: a: b: c",
    ]
