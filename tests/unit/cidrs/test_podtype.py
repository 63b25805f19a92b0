"""How auto is resolved: by what runs, by what the cluster tells, and by what was known last."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from spidercoordinator.core.cidrs.podtype import resolve_pod_cidr_type
from spidercoordinator.core.cidrs.reports import DetectedPlugin, Presence, SourceReport

KUBEADM = SourceReport("kubeadm-config", pod=("10.244.0.0/16",), service=("10.96.0.0/12",))
ABSENT = SourceReport("kubeadm-config", missing="there is no ConfigMap")
UNREAD = SourceReport("kubeadm-config", unread="may not list configmaps")
BARE = SourceReport("kubeadm-config", pod=("10.244.0.0",))
CALICO = DetectedPlugin("calico", Presence.RUNNING, "DaemonSet kube-system/calico-node")
CILIUM = DetectedPlugin("cilium", Presence.RUNNING, "DaemonSet kube-system/cilium")
FORBIDDEN = "may not list ippools.crd.projectcalico.org"
NO_CALICO = DetectedPlugin("calico", Presence.ABSENT)
NO_CILIUM = DetectedPlugin("cilium", Presence.ABSENT)


def with_presence(plugin: DetectedPlugin, presence: Presence) -> DetectedPlugin:
    return replace(plugin, presence=presence)


LEFT_OVERS = with_presence(CALICO, Presence.LEFT_OVERS)
MARKED = with_presence(CALICO, Presence.MARKED)
DOUBTFUL = with_presence(CALICO, Presence.DOUBTFUL)
POLICY = replace(DOUBTFUL, chained=True)
STARTING = with_presence(CALICO, Presence.UNKNOWN)
UNREADABLE = DetectedPlugin("calico", Presence.UNKNOWN, FORBIDDEN, unread=FORBIDDEN)


def resolve(reports: list[SourceReport], plugins: list[DetectedPlugin], last: Any = None) -> Any:
    return resolve_pod_cidr_type("auto", reports, plugins, last)


@pytest.mark.parametrize(
    ("reports", "plugins", "last", "type_"),
    [
        pytest.param([KUBEADM], [CALICO, NO_CILIUM], None, "calico", id="Calico runs"),
        pytest.param([KUBEADM], [CALICO, NO_CILIUM], "cluster", "calico", id="was installed"),
        pytest.param([KUBEADM], [NO_CALICO, NO_CILIUM], None, "cluster", id="neither"),
        pytest.param([KUBEADM], [NO_CALICO, NO_CILIUM], "calico", "cluster", id="was removed"),
        pytest.param([ABSENT], [NO_CALICO, NO_CILIUM], None, "none", id="nobody has"),
        pytest.param([ABSENT], [NO_CALICO, NO_CILIUM], "cluster", "cluster", id="source deleted"),
        pytest.param([ABSENT], [NO_CALICO, NO_CILIUM], "calico", "calico", id="all gone"),
        pytest.param([BARE], [NO_CALICO, NO_CILIUM], "cluster", "cluster", id="source malformed"),
        pytest.param([UNREAD], [NO_CALICO, NO_CILIUM], "cluster", "cluster", id="forbidden"),
        pytest.param([UNREAD], [NO_CALICO, NO_CILIUM], "none", "none", id="forbidden, was none"),
        pytest.param([UNREAD], [NO_CALICO, NO_CILIUM], None, None, id="forbidden from the start"),
        pytest.param([KUBEADM], [STARTING, NO_CILIUM], "calico", "calico", id="agents restart"),
        pytest.param([KUBEADM], [STARTING, NO_CILIUM], "cluster", "cluster", id="are installed"),
        pytest.param([KUBEADM], [STARTING, NO_CILIUM], None, None, id="start with the cluster"),
        pytest.param([KUBEADM], [STARTING, CILIUM], "calico", "calico", id="another one is ready"),
        pytest.param([KUBEADM], [STARTING, CILIUM], "cluster", "cilium", id="one of two is ready"),
        pytest.param([KUBEADM], [UNREADABLE, NO_CILIUM], "calico", "calico", id="unreadable"),
        pytest.param([KUBEADM], [UNREADABLE, NO_CILIUM], "cluster", "cluster", id="now"),
        pytest.param([KUBEADM], [UNREADABLE, NO_CILIUM], None, None, id="from the start"),
        pytest.param([KUBEADM], [UNREADABLE, CILIUM], None, "cilium", id="but Cilium runs"),
        pytest.param([KUBEADM], [LEFT_OVERS, CILIUM], None, "cilium", id="left-overs, Cilium"),
        pytest.param([KUBEADM], [LEFT_OVERS, NO_CILIUM], None, "cluster", id="left-overs lose"),
        pytest.param([KUBEADM], [LEFT_OVERS, NO_CILIUM], "calico", "cluster", id="agents deleted"),
        pytest.param([ABSENT], [LEFT_OVERS, NO_CILIUM], "calico", "calico", id="but nobody tells"),
        pytest.param([ABSENT], [LEFT_OVERS, NO_CILIUM], None, "calico", id="left-overs alone"),
        pytest.param([KUBEADM], [MARKED, NO_CILIUM], None, "calico", id="nodes are Calico's"),
        pytest.param([KUBEADM], [MARKED, CILIUM], None, "cilium", id="were, now Cilium runs"),
        pytest.param([KUBEADM], [DOUBTFUL, NO_CILIUM], None, "cluster", id="agents alone"),
        pytest.param([KUBEADM], [DOUBTFUL, NO_CILIUM], "calico", "calico", id="its kinds are gone"),
        pytest.param([KUBEADM], [POLICY, NO_CILIUM], None, "cluster", id="for policy alone"),
        pytest.param([KUBEADM], [POLICY, NO_CILIUM], "cluster", "cluster", id="still for policy"),
        pytest.param([KUBEADM], [POLICY, NO_CILIUM], "calico", "calico", id="its pools are gone"),
        pytest.param([KUBEADM], [CALICO, CILIUM], None, "calico", id="both run"),
        pytest.param([KUBEADM], [CALICO, CILIUM], "cilium", "cilium", id="both, Cilium before"),
        pytest.param(
            [KUBEADM], [CALICO, replace(CILIUM, chained=True)], None, "calico", id="chained Cilium"
        ),
    ],
)
def test_auto(
    reports: list[SourceReport], plugins: list[DetectedPlugin], last: Any, type_: Any
) -> None:
    assert resolve(reports, plugins, last).type == type_


@pytest.mark.parametrize(
    ("presence", "report", "last"),
    list(product(Presence, [KUBEADM, ABSENT, UNREAD, BARE], [None, "cluster", "calico", "cilium"])),
)
def test_none_needs_everything_read_and_nothing_known_before(
    presence: Presence, report: SourceReport, last: Any
) -> None:
    resolved = resolve([report], [with_presence(CALICO, presence), NO_CILIUM], last)
    if resolved.type == "none":
        assert (presence, last, report.unread) == (Presence.ABSENT, None, "")
    # What could not be read is named, and never turned into absence.
    if report is UNREAD and resolved.type is None:
        assert "may not list configmaps" in resolved.reason or presence is Presence.UNKNOWN


def test_both_sides_of_a_disagreement_are_named() -> None:
    (conflict,) = resolve([KUBEADM], [LEFT_OVERS, NO_CILIUM]).conflicts
    assert "kubeadm-config" in conflict
    assert LEFT_OVERS.evidence in conflict
    (conflict,) = resolve([KUBEADM], [MARKED, NO_CILIUM]).conflicts
    assert "kubeadm-config" in conflict
    assert MARKED.evidence in conflict
    (conflict,) = resolve([KUBEADM], [CALICO, CILIUM]).conflicts
    assert CALICO.evidence in conflict
    assert CILIUM.evidence in conflict
    assert "set spec.podCIDRType" in conflict
    (conflict,) = resolve([ABSENT], [LEFT_OVERS, NO_CILIUM]).conflicts
    assert LEFT_OVERS.evidence in conflict


def test_agents_that_restart_are_no_disagreement() -> None:
    assert resolve([KUBEADM], [STARTING, NO_CILIUM], "calico").conflicts == ()


def test_a_refusal_is_said_as_such() -> None:
    quiet = replace(NO_CALICO, unread=FORBIDDEN)
    for resolved in (
        resolve([KUBEADM], [UNREADABLE, NO_CILIUM], "calico"),
        resolve([KUBEADM], [quiet, NO_CILIUM]),
        resolve([ABSENT], [quiet, NO_CILIUM]),
    ):
        assert resolved.unread == (FORBIDDEN,)
        assert resolved.type != "none"


def test_everything_that_stands_in_the_way_is_in_the_reason() -> None:
    both = replace(STARTING, unread=FORBIDDEN)
    reason = resolve([KUBEADM], [both, NO_CILIUM]).reason
    assert STARTING.evidence in reason
    assert reason.count(FORBIDDEN) == 1
    assert resolve([KUBEADM], [UNREADABLE, NO_CILIUM]).reason.count(FORBIDDEN) == 1


def test_a_tenants_agents_are_named_as_not_counted() -> None:
    other = replace(NO_CILIUM, evidence="DaemonSet tenant/cilium is in none of the namespaces")
    resolved = resolve([KUBEADM], [NO_CALICO, other])
    assert (resolved.type, resolved.conflicts) == ("cluster", ())
    assert "tenant/cilium" in resolved.reason


def test_an_explicit_type_is_not_second_guessed() -> None:
    resolved = resolve_pod_cidr_type("cilium", [KUBEADM], [CALICO, UNREADABLE], "calico")
    assert (resolved.type, resolved.unread) == ("cilium", ())
