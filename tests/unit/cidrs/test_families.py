"""One family of one list: trust, sources that are lost, and what is evidence for a change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spidercoordinator.core.cidrs.families import Candidate, find_conflicts, select_family
from spidercoordinator.core.cidrs.known import FamilyCIDRs
from spidercoordinator.core.cidrs.reports import SourceReport

FORBIDDEN = "may not list configmaps"


def candidate(source: str, *cidrs: str, unread: str = "", partial: bool = False) -> Candidate:
    return Candidate(SourceReport(source, unread=unread, partial=partial), cidrs)


KUBEADM = candidate("kubeadm-config", "10.244.0.0/16")
ABSENT = candidate("kubeadm-config")
UNREAD = candidate("kubeadm-config", unread=FORBIDDEN)
FLAGS = candidate("flags", "10.50.0.0/16")
NODES = candidate("nodes", "10.244.0.0/24", partial=True)
SIX = candidate("nodes", "fd00::/64")
KNOWN = FamilyCIDRs(("10.244.0.0/16",), "kubeadm-config")
KEPT = replace(KNOWN, last_known=True)
NOTHING = FamilyCIDRs()


def told(each: Candidate) -> FamilyCIDRs:
    return FamilyCIDRs(each.cidrs, each.report.source)


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        pytest.param([KUBEADM, FLAGS, NODES], told(KUBEADM), id="the most trusted"),
        pytest.param([ABSENT, FLAGS], told(FLAGS), id="the next one"),
        pytest.param([ABSENT, NODES], told(NODES), id="only nodes tell"),
        pytest.param([SIX, FLAGS], told(FLAGS), id="one that knows only the other family"),
        pytest.param([UNREAD, FLAGS], told(FLAGS), id="one that knows the whole range"),
        pytest.param([UNREAD, NODES], NOTHING, id="today's nodes are not the whole range"),
        pytest.param([UNREAD], NOTHING, id="unread"),
        pytest.param([ABSENT], NOTHING, id="absent"),
        pytest.param([SIX], NOTHING, id="a family that is not used"),
    ],
)
def test_at_first(candidates: list[Candidate], chosen: FamilyCIDRs) -> None:
    assert select_family(candidates, 4, None) == chosen


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        pytest.param([KUBEADM, NODES], told(KUBEADM), id="nothing changed"),
        pytest.param([ABSENT, NODES], KEPT, id="deleted; nodes would narrow it"),
        pytest.param([UNREAD, NODES], KEPT, id="forbidden; nodes would narrow it"),
        pytest.param([ABSENT], KEPT, id="deleted, nobody else tells"),
        pytest.param([UNREAD, FLAGS], KEPT, id="forbidden: no reason to believe another one"),
        pytest.param([ABSENT, FLAGS], told(FLAGS), id="deleted, another knows the whole range"),
        pytest.param(
            [UNREAD, candidate("flags", "10.244.0.0/16")],
            told(candidate("flags", "10.244.0.0/16")),
            id="forbidden, another tells the same",
        ),
        pytest.param(
            [candidate("kubeadm-config", "10.8.0.0/16"), NODES],
            told(candidate("kubeadm-config", "10.8.0.0/16")),
            id="its source tells another range",
        ),
        pytest.param(
            [candidate("ServiceCIDR API", "10.9.0.0/16"), KUBEADM],
            told(candidate("ServiceCIDR API", "10.9.0.0/16")),
            id="a more trusted one appears",
        ),
        pytest.param(
            [candidate("kubeadm-config", "fd00::/56")],
            NOTHING,
            id="its source still tells the other family",
        ),
        pytest.param(
            [candidate("kubeadm-config", "fd00::/56", unread=FORBIDDEN)], KEPT, id="or did before"
        ),
        pytest.param(
            [candidate("other", "10.9.0.0/16")],
            told(candidate("other", "10.9.0.0/16")),
            id="its source is none of the sources any more",
        ),
        pytest.param([], KEPT, id="no source at all"),
    ],
)
def test_with_a_range_of_before(candidates: list[Candidate], chosen: FamilyCIDRs) -> None:
    assert select_family(candidates, 4, KNOWN) == chosen


@pytest.mark.parametrize(
    ("cidrs", "unread", "chosen"),
    [
        pytest.param(("fd00::/104",), "", NOTHING, id="its mode has no IPv4 any more"),
        pytest.param(("10.8.0.0/16",), "", FamilyCIDRs(("10.8.0.0/16",), "CiliumNodes"), id="has"),
        pytest.param((), "", KEPT, id="its configuration was deleted"),
        pytest.param((), FORBIDDEN, KEPT, id="its configuration cannot be read"),
    ],
)
def test_a_plugin_whose_source_goes_by_another_name(
    cidrs: tuple[str, ...], unread: str, chosen: FamilyCIDRs
) -> None:
    report = SourceReport("CiliumNodes", "cilium", unread=unread, partial=True)
    assert select_family([Candidate(report, cidrs)], 4, KNOWN) == chosen


ODD = '"fd00::" is not a range of addresses'


def odd(source: str, *cidrs: str) -> Candidate:
    """One of whose entries some are no ranges."""
    return replace(candidate(source, *cidrs), faults=(ODD,))


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        pytest.param([odd("kubeadm-config")], KEPT, id="no entry is a range"),
        pytest.param([odd("kubeadm-config", "fd00::/56")], KEPT, id="that of this family is none"),
        pytest.param([odd("kubeadm-config"), FLAGS], KEPT, id="another one tells a range"),
        pytest.param(
            [odd("kubeadm-config", "10.8.0.0/16")],
            FamilyCIDRs(("10.8.0.0/16", "10.244.0.0/16"), "kubeadm-config", last_known=True),
            id="one of two is none",
        ),
    ],
)
def test_an_entry_that_is_no_range_takes_nothing_away(
    candidates: list[Candidate], chosen: FamilyCIDRs
) -> None:
    assert select_family(candidates, 4, KNOWN) == chosen


def test_nodes_follow_themselves() -> None:
    known = FamilyCIDRs(("10.244.0.0/23",), "nodes")
    assert select_family([ABSENT, NODES], 4, known) == told(NODES)


def test_conflicts_are_of_one_family() -> None:
    chosen = told(KUBEADM)
    assert find_conflicts([KUBEADM, NODES, SIX], 4, chosen) == ()
    (conflict,) = find_conflicts([KUBEADM, NODES, FLAGS], 4, chosen)
    assert conflict == (
        "flags says 10.50.0.0/16, which kubeadm-config (10.244.0.0/16) does not have"
    )
    assert find_conflicts([SIX], 4, NOTHING) == ()
