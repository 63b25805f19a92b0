"""Status as a function of what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.selection import DiscoveredCIDRs, SelectedCIDRs
from spidercoordinator.core.coordinator.linkaddress import OWNED, link_address_verdict
from spidercoordinator.core.coordinator.status import (
    Facts,
    count_networks,
    decide,
    not_selected,
    unusable,
)
from spidercoordinator.core.status.mergepatch import merge_patch
from spidercoordinator.core.status.transitions import transitions

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"
POD = SelectedCIDRs(("10.244.0.0/16",), "kubeadm-config")
SERVICE = SelectedCIDRs(("10.96.0.0/16",), "ServiceCIDR API")
FOUND = DiscoveredCIDRs("cluster", "it is a test", POD, SERVICE)
FACTS = Facts("default", 3, SpiderCoordinatorSpec(), FOUND, True, {}, NOW)
LOST = SelectedCIDRs(tried=("there is no ConfigMap kube-system/kubeadm-config",))


def condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = [each for each in status["conditions"] if each["type"] == kind]
    return dict(found)


def stored(status: dict[str, Any]) -> dict[str, Any]:
    """The status as the API server would keep it: without what is None."""
    return {
        key: stored(value) if isinstance(value, dict) else value
        for key, value in status.items()
        if value is not None
    }


def test_all_found_is_synced() -> None:
    status = decide(FACTS).status
    assert status["phase"] == "Synced"
    assert status["reason"] is None
    assert status["observedGeneration"] == 3
    assert [c["status"] for c in status["conditions"]] == ["True", "True", "True", "False"]


def test_type_none_is_synced_with_an_empty_list() -> None:
    found = replace(FOUND, type="none", pod=SelectedCIDRs(source="podCIDRType none"))
    outcome = decide(replace(FACTS, discovered=found))
    assert outcome.status["phase"] == "Synced"
    assert outcome.status["overlayPodCIDR"] == []
    assert outcome.cluster.not_ready == ""


def test_nothing_known_is_not_ready_and_the_pod_is_told_why() -> None:
    outcome = decide(replace(FACTS, discovered=replace(FOUND, pod=LOST)))
    assert outcome.status["phase"] == "NotReady"
    assert "there is no ConfigMap kube-system/kubeadm-config" in outcome.status["reason"]
    assert "set spec.podCIDR" in outcome.status["reason"]
    assert outcome.cluster.not_ready.startswith("spidercoordinator default is not ready: ")
    assert outcome.status["overlayPodCIDR"] == []
    assert outcome.status["serviceCIDR"] == ["10.96.0.0/16"]


def test_a_source_lost_later_leaves_the_last_known_list_marked_as_such() -> None:
    before = stored(decide(FACTS).status)
    after = decide(replace(FACTS, discovered=replace(FOUND, pod=LOST), previous=before, now=LATER))
    assert after.status["phase"] == "Synced"
    assert after.status["overlayPodCIDR"] == ["10.244.0.0/16"]
    assert after.status["sources"]["overlayPodCIDR"] == "last known, from kubeadm-config"
    assert condition(after.status, "CIDRsDiscovered")["reason"] == "LastKnown"
    assert condition(after.status, "Degraded")["status"] == "True"
    assert after.cluster.not_ready == ""
    again = decide(
        replace(
            FACTS,
            discovered=replace(FOUND, pod=LOST),
            previous=stored(after.status),
            now="2026-01-02T00:00:00Z",
        )
    )
    assert merge_patch(stored(after.status), again.status) == {}


def test_the_last_known_list_of_another_type_is_not_used() -> None:
    before = stored(decide(FACTS).status)
    found = DiscoveredCIDRs("calico", "spec says so", LOST, SERVICE)
    outcome = decide(replace(FACTS, discovered=found, previous=before, now=LATER))
    assert outcome.status["phase"] == "NotReady"
    assert outcome.status["overlayPodCIDR"] == []


def test_an_override_that_is_taken_back_leaves_nothing_behind() -> None:
    found = replace(FOUND, pod=SelectedCIDRs(("10.5.0.0/16",), "spec.podCIDR"))
    before = stored(decide(replace(FACTS, discovered=found)).status)
    outcome = decide(
        replace(FACTS, discovered=replace(FOUND, pod=LOST), previous=before, now=LATER)
    )
    assert outcome.status["phase"] == "NotReady"


def test_without_the_network_kind_nothing_can_be_made() -> None:
    outcome = decide(replace(FACTS, attachments_served=False))
    assert outcome.status["phase"] == "NotReady"
    assert "network-attachment-definitions.k8s.cni.cncf.io" in outcome.status["reason"]
    assert outcome.cluster.not_ready == ""


def test_conflicts_degrade_and_do_not_stop() -> None:
    found = replace(FOUND, pod=replace(POD, conflicts=("flags say 10.9.0.0/16",)))
    status = decide(replace(FACTS, discovered=found)).status
    assert status["phase"] == "Synced"
    assert condition(status, "Degraded") | {"lastTransitionTime": ""} == {
        "type": "Degraded",
        "status": "True",
        "reason": "SourcesDisagree",
        "message": "flags say 10.9.0.0/16",
        "observedGeneration": 3,
        "lastTransitionTime": "",
    }


def test_times_move_only_when_a_condition_turns() -> None:
    before = stored(decide(FACTS).status)
    found = replace(FOUND, pod=replace(POD, conflicts=("x",)))
    after = decide(replace(FACTS, discovered=found, previous=before, now=LATER)).status
    assert condition(after, "Degraded")["lastTransitionTime"] == LATER
    assert condition(after, "Ready")["lastTransitionTime"] == NOW


def test_the_same_facts_write_nothing() -> None:
    before = stored(decide(FACTS).status)
    after = decide(replace(FACTS, previous=before, now=LATER)).status
    assert merge_patch(before, after) == {}


@pytest.mark.parametrize("address", sorted(OWNED))
def test_addresses_of_others_are_doubted(address: str) -> None:
    verdict = link_address_verdict(address)
    assert (verdict.holds, verdict.reason) == (False, "AddressInUse")
    assert address in verdict.message


@pytest.mark.parametrize(
    ("address", "holds", "reason"),
    [
        ("", True, "Unset"),
        ("169.254.100.1", True, "Set"),
        ("fe80::1", True, "Set"),
        ("8.8.8.8", False, "NotLinkLocal"),
        ("fd00::1", False, "NotLinkLocal"),
    ],
)
def test_the_link_address_is_judged(address: str, holds: bool, reason: str) -> None:
    verdict = link_address_verdict(address)
    assert (verdict.holds, verdict.reason) == (holds, reason)


@pytest.mark.parametrize(
    ("istio", "address", "reason"),
    [(True, "", "IstioNeedsIt"), (True, "169.254.100.1", "Set"), (False, "", "Unset")],
)
def test_istio_needs_a_link_address(istio: bool, address: str, reason: str) -> None:
    spec = SpiderCoordinatorSpec(veth_link_address=address)
    status = decide(replace(FACTS, spec=spec, istio=istio)).status
    assert condition(status, "VethLinkAddress")["reason"] == reason
    assert (condition(status, "Degraded")["reason"] == reason) == (reason == "IstioNeedsIt")
    assert status["phase"] == "Synced"


def test_a_doubtful_link_address_degrades_only() -> None:
    spec = SpiderCoordinatorSpec(veth_link_address="8.8.8.8")
    status = decide(replace(FACTS, spec=spec)).status
    assert status["phase"] == "Synced"
    assert condition(status, "VethLinkAddress")["status"] == "False"
    assert condition(status, "Degraded")["reason"] == "NotLinkLocal"


def test_networks_are_counted() -> None:
    assert count_networks([True, False, True])["summary"] == "2 of 3"


def test_another_object_is_told_whose_settings_count() -> None:
    status = not_selected("spare", "default", 1, NOW)
    assert condition(status, "Ready")["reason"] == "NotSelected"
    assert "default" in status["reason"]


def test_a_spec_that_breaks_a_newer_rule_is_shown() -> None:
    status = unusable("spec.vethMTU: 1 is too small", 1, {}, NOW)
    assert (status["phase"], status["reason"]) == ("NotReady", "spec.vethMTU: 1 is too small")


def test_transitions_are_told_and_states_are_not() -> None:
    ready = stored(decide(FACTS).status)
    lost = stored(decide(replace(FACTS, discovered=replace(FOUND, pod=LOST))).status)
    assert [t.reason for t in transitions({}, ready)] == ["Synced"]
    assert transitions(ready, ready) == []
    assert [t.reason for t in transitions(ready, lost)] == ["NotReady", "Unknown"]
    moved = ready | {"podCIDRType": "calico"}
    assert [t.reason for t in transitions(ready, moved)] == ["PodCIDRTypeChanged"]


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
