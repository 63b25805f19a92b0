"""What a status says of before, and how it names the sources of both families."""

from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.core.cidrs.known import (
    FamilyCIDRs,
    last_known,
    source_text,
    split_source,
)

FOUR = FamilyCIDRs(("10.244.0.0/16",), "kubeadm-config")
SIX = FamilyCIDRs(("fd00::/56",), "node.spec.podCIDRs")


def status(source: str, *cidrs: str, **also: Any) -> dict[str, Any]:
    return {"overlayPodCIDR": list(cidrs), "sources": {"overlayPodCIDR": source}, **also}


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        pytest.param({4: FOUR, 6: FamilyCIDRs()}, "kubeadm-config", id="one family"),
        pytest.param(
            {4: FOUR, 6: FamilyCIDRs(("fd00::/56",), "kubeadm-config")},
            "kubeadm-config",
            id="both from one",
        ),
        pytest.param(
            {4: FOUR, 6: SIX},
            "kubeadm-config (IPv4), node.spec.podCIDRs (IPv6)",
            id="each from another",
        ),
        pytest.param(
            {4: FOUR, 6: FamilyCIDRs(("fd00::/56",), "kubeadm-config", last_known=True)},
            "kubeadm-config (IPv4), last known, from kubeadm-config (IPv6)",
            id="one is last known",
        ),
        pytest.param({4: FamilyCIDRs(), 6: FamilyCIDRs()}, "", id="nobody"),
    ],
)
def test_status_names_a_source_once_or_for_each_family(
    chosen: dict[Any, FamilyCIDRs], text: str
) -> None:
    assert source_text(chosen) == text
    for family, each in chosen.items():
        assert not each.cidrs or split_source(text)[family] == each.source


def test_a_status_is_read_back_by_family() -> None:
    source = "CiliumNodes (eni) (IPv4), last known, from Cilium (IPv6)"
    known = last_known(status(source, "fd00::/56", "10.244.0.0/16", podCIDRType="cilium"), 1)
    assert known.type == "cilium"
    assert known.pod.cidrs == ("fd00::/56", "10.244.0.0/16")
    assert known.pod.by_family == {
        4: FamilyCIDRs(("10.244.0.0/16",), "CiliumNodes (eni)"),
        6: FamilyCIDRs(("fd00::/56",), "Cilium"),
    }


@pytest.mark.parametrize("before", [{}, {"sources": {}}, status("spec.podCIDR", "10.5.0.0/16")])
def test_an_override_or_no_status_is_no_knowledge(before: dict[str, Any]) -> None:
    assert last_known(before, 1).pod.by_family == {}


@pytest.mark.parametrize("type_", ["none", "calico"])
def test_a_type_without_cidrs_counts_only_for_the_spec_it_was_found_for(type_: str) -> None:
    before = status("", podCIDRType=type_, observedGeneration=3)
    assert last_known(before, 3).type == type_
    assert last_known(before, 4).type is None
    with_cidrs = status("Calico IPPools", "10.1.0.0/16", podCIDRType=type_, observedGeneration=3)
    assert last_known(with_cidrs, 4).type == type_
