"""Status as a function of what was discovered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.selection import DiscoveredCIDRs, SelectedCIDRs
from spidercoordinator.core.coordinator.status import (
    StatusInputs,
    compute_status,
    count_networks,
    invalid_spec_status,
    not_selected_status,
)
from spidercoordinator.core.coordinator.transitions import coordinator_transitions
from spidercoordinator.core.status.mergepatch import merge_patch

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"
POD = SelectedCIDRs(("10.244.0.0/16",), "kubeadm-config")
SERVICE = SelectedCIDRs(("10.96.0.0/16",), "ServiceCIDR API")
DISCOVERED = DiscoveredCIDRs("cluster", "it is a test", POD, SERVICE)
INPUTS = StatusInputs("default", 3, SpiderCoordinatorSpec(), DISCOVERED, True, {}, NOW)
LOST = SelectedCIDRs(tried=("there is no ConfigMap kube-system/kubeadm-config",))


def condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    (discovered,) = [each for each in status["conditions"] if each["type"] == kind]
    return dict(discovered)


def stored(status: dict[str, Any]) -> dict[str, Any]:
    """The status as the API server would keep it: without what is None."""
    return {
        key: stored(value) if isinstance(value, dict) else value
        for key, value in status.items()
        if value is not None
    }


def test_all_discovered_is_synced() -> None:
    status = compute_status(INPUTS).status
    assert status["phase"] == "Synced"
    assert status["reason"] is None
    assert status["observedGeneration"] == 3
    assert [c["status"] for c in status["conditions"]] == ["True", "True", "False", "False"]


def test_type_none_is_synced_with_an_empty_list() -> None:
    discovered = replace(DISCOVERED, type="none", pod=SelectedCIDRs(source="podCIDRType none"))
    outcome = compute_status(replace(INPUTS, discovered=discovered))
    assert outcome.status["phase"] == "Synced"
    assert outcome.status["overlayPodCIDR"] == []
    assert outcome.cluster.not_ready == ""


def test_nothing_known_is_not_ready_and_the_pod_gets_the_reason() -> None:
    outcome = compute_status(replace(INPUTS, discovered=replace(DISCOVERED, pod=LOST)))
    assert outcome.status["phase"] == "NotReady"
    assert "there is no ConfigMap kube-system/kubeadm-config" in outcome.status["reason"]
    assert "set spec.podCIDR" in outcome.status["reason"]
    assert outcome.cluster.not_ready.startswith("spidercoordinator default is not ready: ")
    assert outcome.status["overlayPodCIDR"] == []
    assert outcome.status["serviceCIDR"] == ["10.96.0.0/16"]


def test_a_source_lost_later_leaves_the_last_known_list_marked_as_such() -> None:
    before = stored(compute_status(INPUTS).status)
    after = compute_status(
        replace(INPUTS, discovered=replace(DISCOVERED, pod=LOST), previous=before, now=LATER)
    )
    assert after.status["phase"] == "Synced"
    assert after.status["overlayPodCIDR"] == ["10.244.0.0/16"]
    assert after.status["sources"]["overlayPodCIDR"] == "last known, from kubeadm-config"
    assert condition(after.status, "CIDRsDiscovered")["reason"] == "LastKnown"
    assert condition(after.status, "Degraded")["status"] == "True"
    assert after.cluster.not_ready == ""
    again = compute_status(
        replace(
            INPUTS,
            discovered=replace(DISCOVERED, pod=LOST),
            previous=stored(after.status),
            now="2026-01-02T00:00:00Z",
        )
    )
    assert merge_patch(stored(after.status), again.status) == {}


def test_the_last_known_list_of_another_type_is_not_used() -> None:
    before = stored(compute_status(INPUTS).status)
    discovered = DiscoveredCIDRs("calico", "spec says so", LOST, SERVICE)
    outcome = compute_status(replace(INPUTS, discovered=discovered, previous=before, now=LATER))
    assert outcome.status["phase"] == "NotReady"
    assert outcome.status["overlayPodCIDR"] == []


def test_an_override_that_is_taken_back_leaves_nothing_behind() -> None:
    discovered = replace(DISCOVERED, pod=SelectedCIDRs(("10.5.0.0/16",), "spec.podCIDR"))
    before = stored(compute_status(replace(INPUTS, discovered=discovered)).status)
    outcome = compute_status(
        replace(INPUTS, discovered=replace(DISCOVERED, pod=LOST), previous=before, now=LATER)
    )
    assert outcome.status["phase"] == "NotReady"


def test_without_the_nad_kind_it_is_not_ready() -> None:
    outcome = compute_status(replace(INPUTS, nad_kind_served=False))
    assert outcome.status["phase"] == "NotReady"
    assert "network-attachment-definitions.k8s.cni.cncf.io" in outcome.status["reason"]
    assert outcome.cluster.not_ready == ""


def test_conflicts_degrade_and_do_not_stop() -> None:
    discovered = replace(DISCOVERED, pod=replace(POD, conflicts=("flags say 10.9.0.0/16",)))
    status = compute_status(replace(INPUTS, discovered=discovered)).status
    assert status["phase"] == "Synced"
    assert condition(status, "Degraded") | {"lastTransitionTime": ""} == {
        "type": "Degraded",
        "status": "True",
        "reason": "SourcesDisagree",
        "message": "flags say 10.9.0.0/16",
        "observedGeneration": 3,
        "lastTransitionTime": "",
    }


def test_transition_times_move_only_with_the_status() -> None:
    before = stored(compute_status(INPUTS).status)
    discovered = replace(DISCOVERED, pod=replace(POD, conflicts=("x",)))
    after = compute_status(
        replace(INPUTS, discovered=discovered, previous=before, now=LATER)
    ).status
    assert condition(after, "Degraded")["lastTransitionTime"] == LATER
    assert condition(after, "Ready")["lastTransitionTime"] == NOW


def test_the_same_inputs_write_nothing() -> None:
    before = stored(compute_status(INPUTS).status)
    after = compute_status(replace(INPUTS, previous=before, now=LATER)).status
    assert merge_patch(before, after) == {}


@pytest.mark.parametrize(
    ("istio", "address", "reason"),
    [(True, "", "IstioNeedsIt"), (True, "169.254.100.1", "Set"), (False, "", "Unset")],
)
def test_istio_needs_a_link_address(istio: bool, address: str, reason: str) -> None:
    spec = SpiderCoordinatorSpec(veth_link_address=address)
    status = compute_status(replace(INPUTS, spec=spec, istio=istio)).status
    assert condition(status, "VethLinkAddress")["reason"] == reason
    assert (condition(status, "Degraded")["reason"] == reason) == (reason == "IstioNeedsIt")
    assert status["phase"] == "Synced"


def test_an_unwise_link_address_degrades_only() -> None:
    spec = SpiderCoordinatorSpec(veth_link_address="8.8.8.8")
    status = compute_status(replace(INPUTS, spec=spec)).status
    assert status["phase"] == "Synced"
    assert condition(status, "VethLinkAddress")["status"] == "True"
    assert condition(status, "Degraded")["reason"] == "NotLinkLocal"


def test_an_address_in_a_discovered_range_degrades() -> None:
    spec = SpiderCoordinatorSpec(veth_link_address="10.96.0.10")
    degraded = condition(compute_status(replace(INPUTS, spec=spec)).status, "Degraded")
    assert degraded["reason"] == "AddressInUse"
    assert "service CIDR 10.96.0.0/16" in degraded["message"]


def test_networks_are_counted() -> None:
    assert count_networks([True, False, True])["summary"] == "2 of 3"


def test_another_object_is_not_selected() -> None:
    status = not_selected_status("spare", "default", 1, NOW)
    assert condition(status, "Ready")["reason"] == "NotSelected"
    assert "default" in status["reason"]


def test_a_spec_that_breaks_a_newer_rule_is_shown() -> None:
    status = invalid_spec_status("spec.vethMTU: 1 is too small", 1, {}, NOW)
    assert (status["phase"], status["reason"]) == ("NotReady", "spec.vethMTU: 1 is too small")


def test_transitions_are_events_and_states_are_not() -> None:
    ready = stored(compute_status(INPUTS).status)
    lost = stored(compute_status(replace(INPUTS, discovered=replace(DISCOVERED, pod=LOST))).status)
    assert [t.reason for t in coordinator_transitions({}, ready)] == ["Synced"]
    assert coordinator_transitions(ready, ready) == []
    assert [t.reason for t in coordinator_transitions(ready, lost)] == ["NotReady", "Unknown"]
    moved = ready | {"podCIDRType": "calico"}
    assert [t.reason for t in coordinator_transitions(ready, moved)] == ["PodCIDRTypeChanged"]


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": 1}, {}, {"a": None}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"c": None}}),
        ({"a": [1]}, {"a": [1, 2]}, {"a": [1, 2]}),
        ({}, {"a": None}, {}),
        ({}, {"a": {}}, {"a": {}}),
    ],
)
def test_a_patch_holds_only_what_differs(
    before: dict[str, Any], after: dict[str, Any], patch: dict[str, Any]
) -> None:
    assert merge_patch(before, after) == patch
