"""The choice among sources: order of trust, field by field, conflicts, and what auto comes to."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.selection import (
    Finding,
    Plugin,
    choose,
    collapse,
    discover,
    normalise,
    resolve_type,
    uncovered,
)

KUBEADM = Finding("kubeadm-config", pod=("10.244.0.0/16",), service=("10.96.0.0/12",))
CALICO = Finding("Calico IPPools", "calico", pod=("10.222.0.0/16",), tells=("pod",))
NO_CALICO = Finding("Calico IPPools", "calico", tells=("pod",), lacks="there is no Calico IPPool")
RUNNING = Plugin("calico", 2, "DaemonSet kube-system/calico-node runs")


def spec(**fields: object) -> SpiderCoordinatorSpec:
    return SpiderCoordinatorSpec.model_validate(fields)


def test_the_first_that_knows_is_taken_for_each_list_by_itself() -> None:
    findings = [
        Finding("ServiceCIDR API", service=("10.96.0.0/16",), tells=("service",)),
        Finding("kubeadm-config", service=("10.96.0.0/16",), lacks="no podSubnet"),
        Finding("kube-controller-manager flags", pod=("10.244.0.0/16",)),
    ]
    found = discover(spec(podCIDRType="cluster"), findings)
    assert (found.pod.source, found.service.source) == (
        "kube-controller-manager flags",
        "ServiceCIDR API",
    )


def test_an_override_beats_everything_and_is_compared_with_nothing() -> None:
    found = discover(spec(podCIDR=["10.5.0.9/16"], serviceCIDR=["10.6.0.0/16"]), [KUBEADM])
    assert (found.pod.cidrs, found.pod.source) == (("10.5.0.0/16",), "spec.podCIDR")
    assert (found.service.cidrs, found.service.source) == (("10.6.0.0/16",), "spec.serviceCIDR")
    assert found.conflicts == ()


def test_type_none_has_no_pod_cidr_and_lacks_nothing() -> None:
    found = discover(spec(podCIDRType="none"), [KUBEADM])
    assert found.pod.cidrs == ()
    assert found.pod.source


def test_a_type_never_borrows_from_another() -> None:
    found = discover(spec(podCIDRType="calico"), [KUBEADM, NO_CALICO])
    assert (found.pod.source, found.pod.tried) == ("", ("there is no Calico IPPool",))
    assert found.service.cidrs == ("10.96.0.0/12",)


def test_a_plugin_that_defers_takes_the_cluster_s() -> None:
    found = discover(
        spec(podCIDRType="cilium"), [KUBEADM, Finding("Cilium", "cilium", defers=True)]
    )
    assert (found.pod.cidrs, found.pod.source) == (("10.244.0.0/16",), "kubeadm-config")


def test_what_a_source_says_beyond_the_chosen_one_is_reported() -> None:
    flags = Finding("kube-controller-manager flags", pod=("10.244.7.0/24", "10.9.0.0/16"))
    found = discover(spec(podCIDRType="cluster"), [KUBEADM, flags])
    (conflict,) = found.conflicts
    assert "10.9.0.0/16" in conflict
    assert "10.244.7.0/24" not in conflict


def test_the_doubts_of_a_source_are_reported() -> None:
    found = discover(spec(), [KUBEADM, Finding("flags", doubts="a and b differ")])
    assert found.conflicts == ("flags: a and b differ",)


@pytest.mark.parametrize(
    ("findings", "plugins", "type_"),
    [
        pytest.param([KUBEADM], [], "cluster", id="the cluster tells"),
        pytest.param([], [], "none", id="nobody tells"),
        pytest.param([KUBEADM, CALICO], [RUNNING], "calico", id="Calico runs"),
        pytest.param([KUBEADM], [Plugin("cilium", 1, "ConfigMap")], "cilium", id="only objects"),
        pytest.param(
            [KUBEADM], [Plugin("calico", 1), Plugin("cilium", 2)], "cilium", id="left-overs lose"
        ),
        pytest.param(
            [KUBEADM],
            [Plugin("calico", 2), Plugin("cilium", 2, chained=True)],
            "calico",
            id="Cilium chained on Calico",
        ),
        pytest.param(
            [KUBEADM], [Plugin("calico", 2, chained=True)], "cluster", id="Calico for policy alone"
        ),
    ],
)
def test_auto(findings: list[Finding], plugins: list[Plugin], type_: str) -> None:
    assert resolve_type("auto", findings, plugins)[0] == type_


def test_auto_says_so_when_two_plugins_run() -> None:
    kind, _, doubts = resolve_type("auto", [], [RUNNING, Plugin("cilium", 2, "DaemonSet cilium")])
    assert kind == "calico"
    assert "set spec.podCIDRType" in doubts[0]


def test_an_explicit_type_is_not_second_guessed() -> None:
    assert resolve_type("cilium", [KUBEADM], [RUNNING])[0] == "cilium"


networks = st.builds(
    lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(8, 32),
)


@given(st.lists(networks, max_size=30))
def test_collapsing_covers_the_same_addresses(entries: list[str]) -> None:
    merged = collapse(entries)
    assert uncovered(entries, merged) == ()
    assert sum(ipaddress.ip_network(entry).num_addresses for entry in merged) == sum(
        entry.num_addresses
        for entry in ipaddress.collapse_addresses(ipaddress.IPv4Network(e) for e in entries)
    )
    assert collapse(merged) == merged


@given(st.lists(networks, max_size=30))
def test_normalising_twice_changes_nothing_and_keeps_the_order(entries: list[str]) -> None:
    once = normalise(entries)
    assert normalise(once) == once
    assert list(once) == sorted(set(entries), key=entries.index)


def test_nothing_to_choose_from_names_what_was_tried() -> None:
    assert choose([("a", (), "a is missing"), ("b", (), "")]).tried == ("a is missing",)
