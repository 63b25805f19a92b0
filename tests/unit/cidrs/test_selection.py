"""Selection among sources: list by list, family by family, from sources and from what was known."""

from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.known import LastKnown, last_known
from spidercoordinator.core.cidrs.reports import DetectedPlugin, Presence, SourceReport
from spidercoordinator.core.cidrs.selection import select_cidrs

KUBEADM = SourceReport("kubeadm-config", pod=("10.244.0.0/16",), service=("10.96.0.0/12",))
CALICO = SourceReport("Calico IPPools", "calico", pod=("10.222.0.0/16",), kinds=("pod",))
NO_CALICO = SourceReport(
    "Calico IPPools", "calico", kinds=("pod",), missing="there is no Calico IPPool"
)
RUNNING = DetectedPlugin(
    "calico", Presence.RUNNING, "DaemonSet kube-system/calico-node has ready pods"
)
FORBIDDEN = "may not list configmaps: no"


def spec(**fields: object) -> SpiderCoordinatorSpec:
    return SpiderCoordinatorSpec.model_validate(fields)


def known(type_: str, source: str, *pod: str, service: str = "10.96.0.0/12") -> LastKnown:
    status: dict[str, Any] = {
        "podCIDRType": type_,
        "overlayPodCIDR": list(pod),
        "serviceCIDR": [service],
        "sources": {"overlayPodCIDR": source, "serviceCIDR": "kubeadm-config"},
        "observedGeneration": 1,
    }
    return last_known(status, 1)


def test_the_first_source_with_cidrs_is_selected_for_each_list_by_itself() -> None:
    reports = [
        SourceReport("ServiceCIDR API", service=("10.96.0.0/16",), kinds=("service",)),
        SourceReport("kubeadm-config", service=("10.96.0.0/16",), missing="no podSubnet"),
        SourceReport("kube-controller-manager flags", pod=("10.244.0.0/16",)),
    ]
    discovered = select_cidrs(spec(podCIDRType="cluster"), reports)
    assert (discovered.pod.source, discovered.service.source) == (
        "kube-controller-manager flags",
        "ServiceCIDR API",
    )


def test_the_first_source_is_selected_for_each_family_by_itself() -> None:
    nodes = SourceReport(
        "node.spec.podCIDRs", pod=("10.244.0.0/24", "fd00:1::/64"), kinds=("pod",), partial=True
    )
    discovered = select_cidrs(spec(podCIDRType="cluster"), [KUBEADM, nodes])
    assert discovered.pod.cidrs == ("10.244.0.0/16", "fd00:1::/64")
    assert discovered.pod.source == "kubeadm-config (IPv4), node.spec.podCIDRs (IPv6)"
    assert (discovered.pod.told, discovered.conflicts) == (True, ())


def test_a_family_that_nobody_tells_is_not_missed() -> None:
    discovered = select_cidrs(spec(podCIDRType="cluster"), [KUBEADM])
    assert (discovered.pod.told, discovered.pod.tried) == (True, ())


def test_the_order_is_that_of_the_source() -> None:
    both = SourceReport("kubeadm-config", pod=("fd00::/56", "10.244.0.0/16", "10.9.0.0/16"))
    assert select_cidrs(spec(podCIDRType="cluster"), [both]).pod.cidrs == both.pod
    before = known("cluster", "kubeadm-config", *both.pod)
    lost = SourceReport("kubeadm-config", unread=FORBIDDEN)
    assert select_cidrs(spec(podCIDRType="cluster"), [lost], (), before).pod.cidrs == both.pod


def test_an_override_is_selected_and_what_every_source_says_otherwise_is_named() -> None:
    discovered = select_cidrs(
        spec(podCIDRType="cluster", podCIDR=["10.5.0.9/16"], serviceCIDR=["10.0.0.0/8"]), [KUBEADM]
    )
    assert (discovered.pod.cidrs, discovered.pod.source) == (("10.5.0.0/16",), "spec.podCIDR")
    assert (discovered.service.cidrs, discovered.service.source) == (
        ("10.0.0.0/8",),
        "spec.serviceCIDR",
    )
    (conflict,) = discovered.conflicts
    assert "10.5.0.0/16" in conflict
    assert "kubeadm-config says 10.244.0.0/16" in conflict


def test_with_an_override_nothing_unread_matters() -> None:
    lost = SourceReport("kubeadm-config", unread=FORBIDDEN)
    unknown = DetectedPlugin("calico", Presence.UNKNOWN, FORBIDDEN, unread=FORBIDDEN)
    override = spec(podCIDR=["10.5.0.0/16"], serviceCIDR=["10.6.0.0/16"])
    discovered = select_cidrs(override, [lost], [unknown])
    assert (discovered.type, discovered.pod.told, discovered.unread) == (None, True, ())


def test_type_none_is_a_source_without_pod_cidrs() -> None:
    discovered = select_cidrs(spec(podCIDRType="none"), [KUBEADM])
    assert discovered.pod.cidrs == ()
    assert discovered.pod.told


def test_a_type_never_borrows_from_another() -> None:
    discovered = select_cidrs(spec(podCIDRType="calico"), [KUBEADM, NO_CALICO])
    assert (discovered.pod.source, discovered.pod.tried) == ("", ("there is no Calico IPPool",))
    assert discovered.service.cidrs == ("10.96.0.0/12",)
    before = known("cluster", "kubeadm-config", "10.244.0.0/16")
    discovered = select_cidrs(spec(podCIDRType="calico"), [KUBEADM, NO_CALICO], (), before)
    assert discovered.pod.source == ""


def test_a_plugin_that_defers_takes_the_cluster_s() -> None:
    discovered = select_cidrs(
        spec(podCIDRType="cilium"),
        [KUBEADM, SourceReport("Cilium", "cilium", defers_to_cluster=True)],
    )
    assert (discovered.pod.cidrs, discovered.pod.source) == (("10.244.0.0/16",), "kubeadm-config")


def test_cidrs_beyond_the_selected_ones_are_a_conflict() -> None:
    flags = SourceReport("kube-controller-manager flags", pod=("10.244.7.0/24", "10.9.0.0/16"))
    discovered = select_cidrs(spec(podCIDRType="cluster"), [KUBEADM, flags])
    (conflict,) = discovered.conflicts
    assert "10.9.0.0/16" in conflict
    assert "10.244.7.0/24" not in conflict


def test_the_warning_of_a_source_is_a_conflict() -> None:
    discovered = select_cidrs(spec(), [KUBEADM, SourceReport("flags", warning="a and b differ")])
    assert discovered.conflicts == ("flags: a and b differ",)


@pytest.mark.parametrize("written", ["10.244.0.0", "0.0.0.0/0", "nonsense", "169.254.0.0/16"])
def test_what_is_no_range_in_a_source_is_named_and_not_used(written: str) -> None:
    report = SourceReport("kubeadm-config", pod=(written,), service=("10.96.0.0/12",))
    discovered = select_cidrs(spec(podCIDRType="cluster"), [report])
    assert discovered.pod.source == ""
    assert f'"{written}"' in discovered.pod.tried[0]
    (conflict,) = discovered.conflicts
    assert conflict.startswith(f'kubeadm-config: "{written}" ')
    good = SourceReport("kubeadm-config", pod=(written, "10.1.0.0/16"))
    discovered = select_cidrs(spec(podCIDRType="cluster"), [good])
    assert discovered.pod.cidrs == ("10.1.0.0/16",)
    assert f'"{written}"' in discovered.conflicts[0]


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(SourceReport("kubeadm-config", unread=FORBIDDEN), id="cannot be read"),
        pytest.param(SourceReport("kubeadm-config", missing="there is none"), id="was deleted"),
        pytest.param(SourceReport("kubeadm-config", pod=("10.244.0.0",)), id="was malformed"),
    ],
)
def test_a_lost_source_leaves_both_lists_and_the_type_as_they_were(report: SourceReport) -> None:
    nodes = SourceReport("nodes", pod=("10.244.0.0/24",), kinds=("pod",), partial=True)
    before = known("cluster", "kubeadm-config", "10.244.0.0/16")
    for reports in ([report], [report, nodes]):
        discovered = select_cidrs(spec(), reports, [], before)
        assert discovered.type == "cluster"
        assert discovered.pod.cidrs == ("10.244.0.0/16",)
        assert discovered.pod.source == "last known, from kubeadm-config"
        assert discovered.service.cidrs == ("10.96.0.0/12",)
        assert not discovered.pod.told
        assert discovered.pod.tried
        assert discovered.unread == ((FORBIDDEN,) if report.unread else ())


def test_nothing_can_be_read_after_a_restart() -> None:
    reports = [SourceReport("kubeadm-config", unread=FORBIDDEN)]
    plugins = [DetectedPlugin("calico", Presence.UNKNOWN, "HTTP 503", unread="HTTP 503")]
    for before in (
        known("cluster", "kubeadm-config", "10.244.0.0/16"),
        known("calico", "Calico IPPools", "10.222.0.0/16"),
        known("none", "podCIDRType none"),
    ):
        discovered = select_cidrs(spec(), reports, plugins, before)
        assert discovered.type == before.type
        assert discovered.pod.cidrs == before.pod.cidrs
        assert discovered.pod.source
        assert set(discovered.unread) == {FORBIDDEN, "HTTP 503"}


def test_nothing_can_be_read_from_the_start() -> None:
    unread = SourceReport("kubeadm-config", unread=FORBIDDEN)
    plugins = [DetectedPlugin("calico", Presence.UNKNOWN, "HTTP 503", unread="HTTP 503")]
    discovered = select_cidrs(spec(), [unread], plugins)
    assert (discovered.type, discovered.pod.source, discovered.service.source) == (None, "", "")
    assert "HTTP 503" in discovered.reason


def test_calico_with_everything_read() -> None:
    discovered = select_cidrs(spec(), [KUBEADM, CALICO], [RUNNING])
    assert (discovered.type, discovered.pod.cidrs) == ("calico", ("10.222.0.0/16",))
    assert discovered.unread == discovered.conflicts == ()
