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


def test_a_source_lost_later_is_last_known_and_degraded() -> None:
    before = stored(compute_status(INPUTS).status)
    kept = replace(POD, source="last known, from kubeadm-config", last_known=True, tried=LOST.tried)
    lost = replace(DISCOVERED, pod=kept)
    after = compute_status(replace(INPUTS, discovered=lost, previous=before, now=LATER))
    assert after.status["phase"] == "Synced"
    assert after.status["overlayPodCIDR"] == ["10.244.0.0/16"]
    assert after.status["sources"]["overlayPodCIDR"] == "last known, from kubeadm-config"
    assert condition(after.status, "CIDRsDiscovered")["reason"] == "LastKnown"
    assert LOST.tried[0] in condition(after.status, "Degraded")["message"]
    assert after.cluster.not_ready == ""
    again = compute_status(
        replace(
            INPUTS,
            discovered=lost,
            previous=stored(after.status),
            now="2026-01-02T00:00:00Z",
        )
    )
    assert merge_patch(stored(after.status), again.status) == {}


def test_what_cannot_be_read_is_degraded_although_it_was_not_needed() -> None:
    forbidden = "may not list ippools.crd.projectcalico.org: no"
    discovered = replace(DISCOVERED, type_unread=(forbidden,))
    status = compute_status(replace(INPUTS, discovered=discovered)).status
    assert status["phase"] == "Synced"
    assert condition(status, "CIDRsDiscovered")["status"] == "True"
    degraded = condition(status, "Degraded")
    assert (degraded["reason"], degraded["message"]) == ("SourceNotReadable", forbidden)


def test_a_type_that_cannot_be_told_is_not_ready_with_the_reason() -> None:
    discovered = DiscoveredCIDRs(None, "it cannot be told: HTTP 503", SelectedCIDRs(), SERVICE)
    outcome = compute_status(replace(INPUTS, discovered=discovered))
    assert outcome.status["podCIDRType"] is None
    assert "podCIDRType auto (it cannot be told: HTTP 503)" in outcome.status["reason"]
    assert outcome.cluster.not_ready.endswith(outcome.status["reason"])


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


@pytest.mark.parametrize("before", [True, False])
def test_a_mesh_that_cannot_be_told_leaves_the_verdict_and_degrades(before: bool) -> None:
    known = stored(compute_status(replace(INPUTS, istio=before)).status)
    why = "whether Istio is installed cannot be told: may not list customresourcedefinitions"
    unknown = replace(INPUTS, istio=None, undetermined=(why,), previous=known, now=LATER)
    status = compute_status(unknown).status
    assert condition(status, "VethLinkAddress") == condition(known, "VethLinkAddress")
    degraded = condition(status, "Degraded")
    assert degraded["status"] == "True"
    assert degraded["reason"] == "SourceNotReadable"
    assert why in degraded["message"]
    assert status["phase"] == "Synced"
    # Once more, from what was written: the verdict does not wear off.
    again = compute_status(replace(unknown, previous=stored(status))).status
    assert condition(again, "VethLinkAddress") == condition(known, "VethLinkAddress")
    assert merge_patch(stored(status), again) == {}


def test_a_mesh_that_could_never_be_told_is_said_so() -> None:
    status = compute_status(replace(INPUTS, istio=None, undetermined=("why not",))).status
    assert condition(status, "VethLinkAddress")["reason"] == "Unset"
    assert condition(status, "Degraded")["message"] == "why not"


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
    before = stored(compute_status(INPUTS).status)
    after = invalid_spec_status("spec.vethMTU: 1 is too small", 1, before, NOW)
    assert after["overlayPodCIDR"] == before["overlayPodCIDR"]
    assert after["sources"] == before["sources"]
    assert reasons(before, stored(after)) == ["NotReady"]


def reasons(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [each.reason for each in coordinator_transitions(before, after)]


def test_transitions_are_events_and_states_are_not() -> None:
    ready = stored(compute_status(INPUTS).status)
    lost = stored(compute_status(replace(INPUTS, discovered=replace(DISCOVERED, pod=LOST))).status)
    assert reasons({}, ready) == ["Synced"]
    assert coordinator_transitions(ready, ready) == []
    assert reasons(ready, lost) == ["NotReady", "CIDRsChanged", "Unknown"]
    assert coordinator_transitions(ready, lost)[0].message == f"{lost['reason']}; before: Synced"
    back = coordinator_transitions(lost, ready)[0].message
    assert back.endswith(f"; before: NotReady, {lost['reason']}")


@pytest.mark.parametrize("old", ["cluster", None])
@pytest.mark.parametrize("new", ["calico", None])
def test_a_change_of_the_type_names_both(old: str | None, new: str | None) -> None:
    ready = stored(compute_status(INPUTS).status)
    before, after = ready | {"podCIDRType": old}, ready | {"podCIDRType": new}
    if old == new:
        assert coordinator_transitions(before, after) == []
        return
    (change,) = coordinator_transitions(before, after)
    assert change.reason == "PodCIDRTypeChanged"
    assert change.message == f"podCIDRType is now {new or 'unknown'}, before {old or 'unknown'}"


@pytest.mark.parametrize("field", ["overlayPodCIDR", "serviceCIDR"])
def test_a_change_of_a_list_names_both_with_their_sources(field: str) -> None:
    before = stored(compute_status(INPUTS).status)
    other = {field: ["10.9.0.0/24"], "sources": {**before["sources"], field: "nodes"}}
    (change,) = coordinator_transitions(before, before | other)
    assert change.reason == "CIDRsChanged"
    old = f"{before[field][0]} ({before['sources'][field]})"
    assert change.message == f"{field} is now 10.9.0.0/24 (nodes), before {old}"
    (back,) = coordinator_transitions(before | {field: []}, before)
    assert back.message.endswith(f"before empty ({before['sources'][field]})")


def test_another_reason_for_degraded_is_an_event_and_another_text_is_not() -> None:
    def degraded(*conflicts: str, unread: tuple[str, ...] = ()) -> dict[str, Any]:
        pod = replace(POD, conflicts=conflicts, unread=unread)
        discovered = replace(DISCOVERED, pod=pod)
        return stored(compute_status(replace(INPUTS, discovered=discovered)).status)

    assert reasons(degraded("a"), degraded("b")) == []
    assert reasons(degraded("a"), degraded("a", unread=("no",))) == ["SourceNotReadable"]


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
