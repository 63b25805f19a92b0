"""Selection among sources: order of trust, field by field, conflicts, and how auto is resolved."""

from __future__ import annotations

import pytest

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.reports import DetectedPlugin, Presence, SourceReport
from spidercoordinator.core.cidrs.selection import (
    resolve_pod_cidr_type,
    select_cidrs,
    select_first,
)

KUBEADM = SourceReport("kubeadm-config", pod=("10.244.0.0/16",), service=("10.96.0.0/12",))
CALICO = SourceReport("Calico IPPools", "calico", pod=("10.222.0.0/16",), kinds=("pod",))
NO_CALICO = SourceReport(
    "Calico IPPools", "calico", kinds=("pod",), missing="there is no Calico IPPool"
)
RUNNING = DetectedPlugin("calico", Presence.RUNNING, "DaemonSet kube-system/calico-node runs")


def spec(**fields: object) -> SpiderCoordinatorSpec:
    return SpiderCoordinatorSpec.model_validate(fields)


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


def test_an_override_is_selected_and_compared_with_nothing() -> None:
    discovered = select_cidrs(spec(podCIDR=["10.5.0.9/16"], serviceCIDR=["10.6.0.0/16"]), [KUBEADM])
    assert (discovered.pod.cidrs, discovered.pod.source) == (("10.5.0.0/16",), "spec.podCIDR")
    assert (discovered.service.cidrs, discovered.service.source) == (
        ("10.6.0.0/16",),
        "spec.serviceCIDR",
    )
    assert discovered.conflicts == ()


def test_type_none_is_a_source_without_pod_cidrs() -> None:
    discovered = select_cidrs(spec(podCIDRType="none"), [KUBEADM])
    assert discovered.pod.cidrs == ()
    assert discovered.pod.source


def test_a_type_never_borrows_from_another() -> None:
    discovered = select_cidrs(spec(podCIDRType="calico"), [KUBEADM, NO_CALICO])
    assert (discovered.pod.source, discovered.pod.tried) == ("", ("there is no Calico IPPool",))
    assert discovered.service.cidrs == ("10.96.0.0/12",)


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


@pytest.mark.parametrize(
    ("reports", "plugins", "type_"),
    [
        pytest.param([KUBEADM], [], "cluster", id="the cluster has pod CIDRs"),
        pytest.param([], [], "none", id="nobody has"),
        pytest.param([KUBEADM, CALICO], [RUNNING], "calico", id="Calico runs"),
        pytest.param(
            [KUBEADM],
            [DetectedPlugin("cilium", Presence.LEFT_OVERS, "ConfigMap")],
            "cilium",
            id="only objects",
        ),
        pytest.param(
            [KUBEADM],
            [
                DetectedPlugin("calico", Presence.LEFT_OVERS),
                DetectedPlugin("cilium", Presence.RUNNING),
            ],
            "cilium",
            id="left-overs lose",
        ),
        pytest.param(
            [KUBEADM],
            [
                DetectedPlugin("calico", Presence.RUNNING),
                DetectedPlugin("cilium", Presence.RUNNING, chained=True),
            ],
            "calico",
            id="Cilium chained on Calico",
        ),
        pytest.param(
            [KUBEADM],
            [DetectedPlugin("calico", Presence.RUNNING, chained=True)],
            "cluster",
            id="Calico for policy alone",
        ),
    ],
)
def test_auto(reports: list[SourceReport], plugins: list[DetectedPlugin], type_: str) -> None:
    assert resolve_pod_cidr_type("auto", reports, plugins)[0] == type_


def test_auto_warns_when_two_plugins_run() -> None:
    type_, _, warnings = resolve_pod_cidr_type(
        "auto", [], [RUNNING, DetectedPlugin("cilium", Presence.RUNNING, "DaemonSet cilium")]
    )
    assert type_ == "calico"
    assert "set spec.podCIDRType" in warnings[0]


def test_an_explicit_type_is_not_second_guessed() -> None:
    assert resolve_pod_cidr_type("cilium", [KUBEADM], [RUNNING])[0] == "cilium"


def test_no_cidrs_at_all_names_what_was_tried() -> None:
    assert select_first([("a", (), "a is missing"), ("b", (), "")]).tried == ("a is missing",)
