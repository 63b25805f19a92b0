"""What becomes of NADs when objects change, and what objects become by kubectl."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spidercoordinator.api.objects import Object, name_of
from spidercoordinator.core.checks.changes import Change, Rendering, changes
from spidercoordinator.core.checks.merging import LAST_APPLIED, applied, patched, patched_object
from spidercoordinator.core.checks.stated import stated_cluster, stated_ipam
from spidercoordinator.core.network.desired import desired_nad
from spidercoordinator.core.network.ownership import Apply, decide
from spidercoordinator.core.network.validation import parse
from spidercoordinator.errors import ManifestError

API = "spiderpool.spidernet.io/v2beta1"
HOW = Rendering("default", {})
CNAME = "multus.spidernet.io/cr-name"


def coordinator(**spec: Any) -> Object:
    status = {
        "defaultIPAM": {"type": "dhcp"},
        "overlayPodCIDR": ["10.244.0.0/16"],
        "serviceCIDR": ["10.96.0.0/12"],
        "sources": {"overlayPodCIDR": "kubeadm-config", "serviceCIDR": "ServiceCIDR API"},
    }
    meta = {"name": "default"}
    kind = {"apiVersion": API, "kind": "SpiderCoordinator"}
    return {**kind, "metadata": meta, "spec": spec, "status": status}


def network(name: str, *, master: str = "eth0", **annotations: str) -> Object:
    meta = {"name": name, "namespace": "net", "uid": name, "annotations": annotations}
    meta["creationTimestamp"] = "2026-01-02T03:04:05Z"
    spec = {"cniType": "macvlan", "macvlan": {"master": [master]}}
    return {"apiVersion": API, "kind": "SpiderMultusConfig", "metadata": meta, "spec": spec}


def made(objects: list[Object]) -> list[Object]:
    """The NADs as the operator makes them."""
    cluster, ipam = stated_cluster(objects, "default"), stated_ipam(objects, "default")
    nads = []
    for each in objects[1:]:
        wanted = desired_nad(
            parse(each), cluster, default_ipam=ipam, coordinator_name=HOW.coordinator
        )
        decision = decide(wanted, None, [])
        assert isinstance(decision, Apply)
        decision.body["metadata"]["uid"] = f"nad of {wanted.name}"
        nads.append(decision.body)
    return nads


LIVE = [coordinator(), network("a"), network("b")]


def summary(found: list[Change]) -> list[tuple[str, str]]:
    return [(change.nad[1], change.action) for change in found]


def test_what_changes_nothing_changes_no_nad() -> None:
    assert changes(LIVE, LIVE, made(LIVE), HOW) == []
    same = [coordinator(hostRPFilter=0), *LIVE[1:]]
    assert all(c.action == "change" for c in changes(LIVE, same, made(LIVE), HOW))


def test_a_network_changes_its_own_nad_only() -> None:
    after = [LIVE[0], network("a", master="eth1"), LIVE[2]]
    [change] = changes(LIVE, after, made(LIVE), HOW)
    assert (change.nad, change.network, change.action) == (("net", "a"), "a", "change")
    changed = [
        line for line in change.lines() if line[0] in "+-" and line[:3] not in {"+++", "---"}
    ]
    assert [line.strip("+- ,") for line in changed] == ['"master": "eth0"', '"master": "eth1"']


def test_a_setting_of_the_cluster_changes_all() -> None:
    after = [coordinator(vethLinkAddress="169.254.100.1"), *LIVE[1:]]
    found = changes(LIVE, after, made(LIVE), HOW)
    assert summary(found) == [("a", "change"), ("b", "change")]
    assert all('"vethLinkAddress": "169.254.100.1"' in change.after for change in found)


def test_a_new_network_makes_one() -> None:
    [change] = changes(LIVE, [*LIVE, network("c")], made(LIVE), HOW)
    assert (change.nad, change.action, change.before) == (("net", "c"), "create", "")


def test_another_name_makes_one_and_deletes_one() -> None:
    after = [*LIVE[:2], network("b", **{CNAME: "c"})]
    assert summary(changes(LIVE, after, made(LIVE), HOW)) == [("c", "create"), ("b", "delete")]


@pytest.mark.parametrize("foreign", [True, False])
def test_a_name_of_others_is_refused(*, foreign: bool) -> None:
    nads = made(LIVE)
    wanted = "theirs" if foreign else "a"
    if foreign:
        nads.append({"metadata": {"name": "theirs", "namespace": "net"}, "spec": {"config": "{}"}})
    found = changes(LIVE, [*LIVE, network("c", **{CNAME: wanted})], nads, HOW)
    assert summary(found) == [(wanted, "refuse")]
    assert found[0].reason
    assert found[0].lines() == []


def test_a_nad_that_is_out_of_sync_anyway_is_not_told_of() -> None:
    nads = [{**nad, "spec": {"config": "{}"}} for nad in made(LIVE)]
    after = [LIVE[0], network("a", master="eth1"), LIVE[2]]
    assert summary(changes(LIVE, after, nads, HOW)) == [("a", "change")]


def test_a_network_that_is_refused_anyway_is_left_out() -> None:
    broken = {**network("bad"), "spec": {"cniType": "macvlan"}}
    assert changes([*LIVE, broken], [*LIVE, broken], made(LIVE), HOW) == []


PATCHES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
"""RFC 7386, appendix A."""


@pytest.mark.parametrize(("before", "patch", "after"), PATCHES)
def test_merge_patches(before: Any, patch: Any, after: Any) -> None:
    assert patched(before, patch) == after


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"kind": "Pod"}, "--patch has the kind 'Pod': it cannot be changed"),
        ({"apiVersion": None}, "--patch has the apiVersion None: it cannot be changed"),
        ({"metadata": {"name": "b"}}, "the metadata.name 'b': it cannot be changed, it is 'a'"),
        ({"metadata": {"name": None}}, "the metadata.name None"),
        ({"metadata": {"namespace": "x"}}, "the metadata.namespace 'x'"),
        ({"metadata": {"uid": "x"}}, "the metadata.uid 'x'"),
        ({"metadata": None}, "--patch has the metadata None: allowed is an object"),
        ({"metadata": 5}, "--patch has the metadata 5: allowed is an object"),
    ],
)
def test_a_patch_makes_no_other_object(patch: Object, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        patched_object(network("a"), patch)
    assert message in str(caught.value)


def test_a_patch_of_the_same_object_leaves_the_status() -> None:
    live = coordinator()
    same = {"kind": live["kind"], "metadata": {"name": "default", "labels": {"a": "b"}}}
    after = patched_object(live, {**same, "status": 5})
    assert after == {**live, "metadata": {"name": "default", "labels": {"a": "b"}}}


def test_a_coordinator_older_than_a_rule_it_breaks_gives_networks_the_reason() -> None:
    broken = [coordinator(vethLinkAddress="0.0.0.0"), *LIVE[1:]]
    found = changes(LIVE, broken, made(LIVE), HOW)
    assert summary(found) == [("a", "change"), ("b", "change")]
    assert all("notReadyReason" in each.after and "0.0.0.0" in each.after for each in found)


def test_apply_keeps_what_others_set_and_removes_what_it_set_itself() -> None:
    last = {"metadata": {"name": "default"}, "spec": {"mode": "auto", "hijackCIDR": ["1.0.0.0/8"]}}
    live = coordinator(mode="auto", hijackCIDR=["1.0.0.0/8"], hostRuleTable=7)
    live["metadata"] |= {"uid": "u", "annotations": {LAST_APPLIED: json.dumps(last)}}
    manifest = {"apiVersion": API, "kind": "SpiderCoordinator", "metadata": {"name": "default"}}
    result = applied(live, {**manifest, "spec": {"mode": "underlay"}, "status": {"phase": "x"}})
    assert result["spec"] == {"mode": "underlay", "hostRuleTable": 7}
    assert result["status"] == live["status"]
    assert result["metadata"]["uid"] == "u"
    assert name_of(result) == ("", "default")


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"spec":3}'])
def test_apply_without_a_usable_note_of_the_last_one(text: str) -> None:
    live = coordinator(mode="auto")
    live["metadata"]["annotations"] = {LAST_APPLIED: text}
    wanted = {
        "kind": "SpiderCoordinator",
        "metadata": {"name": "default"},
        "spec": {"tunePodRoutes": False},
    }
    assert applied(live, wanted)["spec"] == {"mode": "auto", "tunePodRoutes": False}
