from __future__ import annotations

from dataclasses import replace

import pytest

from spidercoordinator.core.cidrs.precedence import apply_precedence
from spidercoordinator.core.cidrs.reports import SourceReport

KUBEADM = SourceReport("kubeadm-config", pod=("10.244.0.0/16",), service=("10.96.0.0/12",))
NODES = SourceReport("nodes", pod=("10.244.3.0/24",), kinds=("pod",), partial=True)
KUBE_OVN = SourceReport("Kube-OVN", pod=("10.16.0.0/16",), kinds=("pod",), supersedes_cluster=True)
POOLS = SourceReport("IPPools", pod=("10.2.0.0/26",), kinds=("pod",), additional=True)
CALICO = SourceReport("Calico", "calico", pod=("10.10.0.0/16",), kinds=("pod",))


def pods(*reports: SourceReport) -> dict[str, tuple[str, ...]]:
    return {each.source: each.cidrs("pod") for each in apply_precedence(reports)}


def test_without_such_sources_nothing_changes() -> None:
    reports = (KUBEADM, NODES, CALICO)
    assert apply_precedence(reports) == reports


def test_a_plugin_that_hands_out_addresses_leaves_the_cluster_s_sources_their_services() -> None:
    assert pods(KUBEADM, KUBE_OVN, NODES, CALICO) == {
        "kubeadm-config": (),
        "Kube-OVN": ("10.16.0.0/16",),
        "nodes": (),
        "Calico": ("10.10.0.0/16",),
    }
    assert apply_precedence((KUBEADM, KUBE_OVN))[0].cidrs("service") == ("10.96.0.0/12",)


@pytest.mark.parametrize(
    ("report", "supersedes"),
    [
        pytest.param(replace(KUBE_OVN, pod=()), False, id="nothing to hand out"),
        pytest.param(replace(KUBE_OVN, pod=(), unread="forbidden"), True, id="nobody can tell"),
        pytest.param(replace(KUBE_OVN, supersedes_cluster=False), False, id="not running"),
    ],
)
def test_it_has_to_hand_out_something(report: SourceReport, supersedes: bool) -> None:
    assert (pods(KUBEADM, report)["kubeadm-config"] == ()) == supersedes


def test_additional_ranges_are_part_of_whatever_is_selected() -> None:
    assert pods(KUBEADM, POOLS, NODES, CALICO) == {
        "kubeadm-config and IPPools": ("10.244.0.0/16", "10.2.0.0/26"),
        "nodes and IPPools": ("10.244.3.0/24", "10.2.0.0/26"),
        "Calico": ("10.10.0.0/16",),
    }


def test_additional_ranges_stand_alone_where_nobody_knows_others() -> None:
    assert pods(replace(KUBEADM, pod=()), POOLS)["IPPools"] == ("10.2.0.0/26",)


def test_additional_ranges_of_another_family_do_not_hide_its_main_range() -> None:
    six = replace(POOLS, pod=("10.2.0.0/26", "fd02::/112"))
    nodes = replace(NODES, pod=("10.244.3.0/24", "fd44:0:0:3::/64"))
    assert pods(KUBEADM, six, nodes) == {
        "kubeadm-config and IPPools": ("10.244.0.0/16", "10.2.0.0/26"),
        "nodes and IPPools": ("10.244.3.0/24", "fd44:0:0:3::/64", "10.2.0.0/26", "fd02::/112"),
    }


def test_additional_ranges_that_cannot_be_read_make_the_whole_unread() -> None:
    [first, *_] = apply_precedence((KUBEADM, replace(POOLS, pod=(), unread="may not list ippools")))
    assert (first.source, first.pod) == ("kubeadm-config", ("10.244.0.0/16",))
    assert first.unread == "may not list ippools"
