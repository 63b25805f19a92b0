"""What a status says where only nodes tell the pod CIDRs."""

from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.core.cidrs.selection import select_cidrs
from spidercoordinator.core.coordinator.status import StatusInputs, compute_status

SERVICE = SourceReport("ServiceCIDR API", service=("10.96.0.0/16",), kinds=("service",))
KUBEADM = SourceReport("kubeadm-config", pod=("10.42.0.0/16",))
POOLS = SourceReport("IPPools", pod=("10.2.0.0/26",), kinds=("pod",), additional=True)
CILIUM_NODES = SourceReport(
    "CiliumNodes (eni)", "cilium", pod=("10.42.3.0/24",), kinds=("pod",), partial=True
)
DEFERRING = SourceReport("Cilium", "cilium", kinds=("pod",), defers_to_cluster=True)


def nodes(*cidrs: str) -> SourceReport:
    return SourceReport("node.spec.podCIDRs", pod=cidrs, kinds=("pod",), partial=True)


def status(*reports: SourceReport, **spec: Any) -> dict[str, Any]:
    given = SpiderCoordinatorSpec.model_validate(spec)
    discovered = select_cidrs(given, [SERVICE, *reports])
    now = "2026-01-01T00:00:00Z"
    return compute_status(StatusInputs("default", 1, given, discovered, True, {}, now)).status


def condition(found: dict[str, Any], kind: str) -> tuple[str, str, str]:
    (each,) = [each for each in found["conditions"] if each["type"] == kind]
    return each["status"], each["reason"], each["message"]


ONE = nodes("10.42.3.0/24")


@pytest.mark.parametrize(
    ("reports", "spec"),
    [
        pytest.param([ONE], {}, id="nodes"),
        pytest.param([ONE, POOLS], {}, id="nodes and pools"),
        pytest.param([CILIUM_NODES], {"podCIDRType": "cilium"}, id="CiliumNodes"),
        pytest.param([DEFERRING, ONE], {"podCIDRType": "cilium"}, id="Cilium that asks nodes"),
    ],
)
def test_it_is_said_and_pods_are_served(reports: list[SourceReport], spec: dict[str, Any]) -> None:
    found = status(*reports, **spec)
    assert found["phase"] == "Synced"
    for kind in ("CIDRsDiscovered", "Degraded"):
        state, reason, message = condition(found, kind)
        assert (state, reason) == ("True", "FollowsNodes")
        assert "set spec.podCIDR to the whole range" in message


@pytest.mark.parametrize(
    ("reports", "spec"),
    [
        pytest.param([KUBEADM, ONE], {}, id="the whole range is known"),
        pytest.param([ONE], {"podCIDR": ["10.42.0.0/16"]}, id="it is set"),
        pytest.param([ONE], {"podCIDRType": "none"}, id="there are none"),
    ],
)
def test_it_is_not_said_where_it_is_not_so(
    reports: list[SourceReport], spec: dict[str, Any]
) -> None:
    found = status(*reports, **spec)
    assert condition(found, "CIDRsDiscovered")[1] == "Discovered"
    assert condition(found, "Degraded")[:2] == ("False", "AsExpected")


def test_the_text_is_the_same_when_a_node_joins() -> None:
    one, two = status(ONE), status(nodes("10.42.3.0/24", "10.42.9.0/24"))
    assert one["overlayPodCIDR"] != two["overlayPodCIDR"]
    assert one["conditions"] == two["conditions"]
