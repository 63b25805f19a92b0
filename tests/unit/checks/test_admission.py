"""Admission review: refusals, warnings, and what is left to the CRD."""

from typing import Any

import pytest

from spidercoordinator.api.nad import CR_NAME
from spidercoordinator.core.checks.admission import review_coordinator, review_network

MACVLAN: dict[str, Any] = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}


def network(spec: dict[str, Any] | None = None, name: str = "a", **meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ns", **meta}, "spec": spec or MACVLAN}


def refusals(obj: dict[str, Any], old: dict[str, Any] | None = None, **state: Any) -> list[str]:
    given = {"rivals": [], "nad": None} | state
    return [each.field for each in review_network(obj, old, **given).refusals]


def warnings(spec: dict[str, Any]) -> tuple[str, ...]:
    return review_network(network(spec), None, rivals=[], nad=None).warnings


def named(cr_name: str | None) -> dict[str, Any]:
    return network(annotations={CR_NAME: cr_name} if cr_name else {})


def test_good_network_is_taken_silently() -> None:
    review = review_network(network(), None, rivals=[], nad=None)
    assert (review.refusals, review.warnings) == ((), ())


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"cniType": "custom", "customCNI": "42"}, "spec.customCNI"),
        ({"cniType": "custom", "customCNI": "{"}, "spec.customCNI"),
        ({**MACVLAN, "chainCNIJsonData": ["{}"]}, "spec.chainCNIJsonData[0]"),
    ],
)
def test_json_texts_are_looked_into(spec: dict[str, Any], field: str) -> None:
    assert refusals(network(spec)) == [field]


def test_what_was_wrong_before_does_not_stop_another_change() -> None:
    bad = network({"cniType": "custom", "customCNI": "{"})
    labelled = network(bad["spec"], labels={"a": "b"})
    assert refusals(labelled, bad) == []
    worse = network({"cniType": "custom", "customCNI": "["})
    assert refusals(worse, bad) == ["spec.customCNI"]


RIVAL = network(name="b", uid="uid-b", creationTimestamp="2026-01-01T00:00:00Z")
LOST = network(uid="uid-a", creationTimestamp="2026-02-01T00:00:00Z", annotations={CR_NAME: "b"})
"""It wants the NAD of its rival."""


def changed(obj: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {**obj, "metadata": {**obj["metadata"], **meta}}


@pytest.mark.parametrize(
    "meta",
    [
        {"labels": {"a": "b"}},
        {"finalizers": ["x"]},
        {"annotations": {CR_NAME: "b", "note": "x"}},
        {"annotations": {CR_NAME: "c"}},
        {"annotations": {}},
    ],
)
def test_one_that_lost_its_name_can_be_changed_and_renamed(meta: dict[str, Any]) -> None:
    new = changed(LOST, **meta)
    others = [RIVAL] if new["metadata"]["annotations"].get(CR_NAME) == "b" else []
    assert refusals(new, LOST, rivals=others, has_nad=False) == []
    bigger = {**new, "spec": {**MACVLAN, "macvlan": {"master": ["eth1"]}}}
    assert refusals(bigger, LOST, rivals=others, has_nad=False) == []


def test_one_that_lost_its_name_cannot_take_another_that_is_taken() -> None:
    new = changed(LOST, annotations={CR_NAME: "d"})
    third = network(name="d", uid="uid-d", creationTimestamp="2026-01-01T00:00:00Z")
    assert refusals(new, LOST, rivals=[third], has_nad=False) == ["metadata.name"]


def test_one_that_has_a_nad_cannot_be_renamed() -> None:
    new = changed(LOST, annotations={CR_NAME: "c"})
    assert refusals(new, LOST, has_nad=True) == [f"metadata.annotations[{CR_NAME}]"]


@pytest.mark.parametrize("key", ["labels", "finalizers", "managedFields", "ownerReferences"])
def test_metadata_that_decides_nothing_is_not_reviewed(key: str) -> None:
    doubtful = network({**MACVLAN, "coordinator": {"vethLinkAddress": "8.8.8.8"}})
    for old in (doubtful, network({"cniType": "custom", "customCNI": "{"}), LOST):
        new = changed(old, **{key: ["x"]})
        review = review_network(new, old, rivals=[RIVAL], nad=None)
        assert (review.refusals, review.warnings) == ((), ())
    old = {"metadata": {"name": "default"}, "spec": {"vethLinkAddress": "8.8.8.8"}}
    assert review_coordinator(changed(old, **{key: ["x"]}), old).warnings == ()
    assert review_coordinator({**old, "spec": {"vethLinkAddress": "8.8.4.4"}}, old).warnings


def test_object_that_is_being_deleted_is_let_go() -> None:
    assert refusals(network({"cniType": "macvlan"}, deletionTimestamp="2026"), network()) == []


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        (None, None, False),
        ("x", "x", False),
        ("x", None, False),
        ("x", "y", True),
        (None, "y", True),
    ],
)
def test_cr_name_may_go_but_not_change(old: str | None, new: str | None, *, refused: bool) -> None:
    assert bool(refusals(named(new), named(old))) == refused


def test_name_that_another_network_wants_is_refused() -> None:
    rival = network(name="b", uid="uid-b", creationTimestamp="2026-01-01T00:00:00Z")
    assert refusals(network(), rivals=[rival]) == ["metadata.name"]
    going = network(name="b", uid="uid-b", deletionTimestamp="2026-01-01T00:00:00Z")
    assert refusals(network(), rivals=[going]) == []


def test_nad_of_others_is_no_reason_to_refuse() -> None:
    theirs = {"metadata": {"name": "a", "namespace": "ns", "uid": "1"}, "spec": {"config": "{}"}}
    assert refusals(network(), nad=theirs) == []


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({**MACVLAN, "coordinator": {"vethLinkAddress": "8.8.8.8"}}, "not link-local"),
        ({**MACVLAN, "coordinator": {"vethLinkAddress": "169.254.169.254"}}, "metadata service"),
        ({**MACVLAN, "coordinator": {"podCIDRType": "calico"}}, "podCIDRType"),
        ({**MACVLAN, "ipam": {"type": "mine"}}, '"mine" is no IPAM plugin known here'),
        ({"cniType": "custom", "chainCNIJsonData": ['{"type":"a"}']}, "no effect"),
    ],
)
def test_doubtful_is_warned_of(spec: dict[str, Any], text: str) -> None:
    [warning] = warnings(spec)
    assert text in warning


def test_coordinator_is_only_warned_of() -> None:
    assert review_coordinator({"spec": {"vethLinkAddress": "169.254.100.1"}}).warnings == ()
    assert review_coordinator({"spec": {}}).warnings == ()
    [warning] = review_coordinator({"spec": {"vethLinkAddress": "8.8.8.8"}}).warnings
    assert warning.startswith("spec.vethLinkAddress")


@pytest.mark.parametrize("field", ["podCIDR", "serviceCIDR"])
def test_a_single_address_as_the_range_of_a_cluster_is_warned_of(field: str) -> None:
    assert review_coordinator({"spec": {field: ["10.96.0.0/12"]}}).warnings == ()
    [warning] = review_coordinator({"spec": {field: ["10.96.0.0/12", "10.96.0.1/32"]}}).warnings
    assert warning.startswith(f'spec.{field}: "10.96.0.1/32" is a single address')
    [warning] = warnings({**MACVLAN, "coordinator": {field: ["fd00::1/128"]}})
    assert warning.startswith(f'spec.coordinator.{field}: "fd00::1/128"')


def test_a_version_that_a_plugin_does_not_speak_is_warned_of() -> None:
    spec = {"cniType": "macvlan", "macvlan": {"master": ["ens5"], "ippools": {"ipv4": ["p4"]}}}
    for version, expected in (("1.1.0", 1), ("1.0.0", 0)):
        annotated = network(spec, annotations={"multus.spidernet.io/cni-version": version})
        found = review_network(annotated, None, rivals=(), nad=None).warnings
        path = "metadata.annotations[multus.spidernet.io/cni-version]: 1.1.0 is not spoken by"
        assert len([each for each in found if path in each]) == expected, found


@pytest.mark.parametrize(
    ("given", "field"),
    [
        pytest.param(network(name="a.b"), "metadata.name", id="its own"),
        pytest.param(named("a.b"), f"metadata.annotations[{CR_NAME}]", id="by annotation"),
    ],
)
def test_a_name_that_multus_takes_only_as_json_is_warned_of(
    given: dict[str, Any], field: str
) -> None:
    review = review_network(given, None, rivals=[], nad=None)
    [warning] = review.warnings
    assert (review.refusals, warning.startswith(f"{field}: ")) == ((), True)
    assert '[{"name": "a.b"}]' in warning
    assert len(warning) <= 256
    assert (
        review_network(
            network(name="a.b", annotations={CR_NAME: "a-b"}), None, rivals=[], nad=None
        ).warnings
        == ()
    )
