"""What `helm test` makes, what it says of each step that fails, and what waiting cannot mend."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from spidercoordinator.api.nad import NETWORK
from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks import verification
from spidercoordinator.core.checks.explanation import FIRST
from spidercoordinator.core.checks.podreport import PodReport
from spidercoordinator.core.checks.verification import DONE, NETWORK_STATUS, Trial, Verdict
from spidercoordinator.core.network.validation import find_problems

ROOT = Path(__file__).parents[3]
REPORT: Object = json.loads(
    (ROOT / "cni" / "internal" / "explain" / "testdata" / "report.json").read_text()
)
POD: Object = {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}, "spec": {"e": 1}}
OWNER = {"kind": "Pod", "name": "runner", "uid": "1"}
TRIAL = Trial("ns", "t", "eth0", POD)


def network(status: Object | None = None) -> Object:
    return {"metadata": {"namespace": "ns", "name": "t", "uid": "u"}, "status": status or {}}


def conditions(**states: tuple[str, str, str]) -> Object:
    keys = ("status", "reason", "message")
    return {
        "conditions": [
            {"type": kind, **dict(zip(keys, state, strict=True))} for kind, state in states.items()
        ]
    }


def nad(section: Object, made_from: str = "t/u") -> Object:
    plugins = [{"type": "macvlan"}, {"type": "coordinator", **section}]
    meta = {"namespace": "ns", "name": "t", "annotations": {NETWORK: made_from}}
    return {"metadata": meta, "spec": {"config": json.dumps({"plugins": plugins})}}


def pod(phase: str = "Pending", node: str = "n1", **status: object) -> Object:
    meta = {"namespace": "ns", "name": "t", "annotations": {}}
    return {"metadata": meta, "spec": {"nodeName": node}, "status": {"phase": phase, **status}}


READY = conditions(Ready=("True", "InSync", ""))


@pytest.mark.parametrize(
    "ipam", [{}, {"type": "static", "addresses": [{"address": "10.1.0.2/16"}]}]
)
def test_the_network_is_one_that_a_user_could_write(ipam: Object) -> None:
    made = Trial("ns", "t", "ens3", POD, ipam=ipam).network
    assert list(find_problems({**made, "kind": "SpiderMultusConfig"})) == []
    assert made["spec"]["macvlan"] == {"master": ["ens3"]}
    assert made["spec"]["ipam"] == (ipam or verification.NOBODYS_IPAM)
    # A gateway, or another owner of an address, is looked for where addresses are the user's.
    assert ("coordinator" in made["spec"]) == (not ipam)


def test_the_pod_keeps_what_is_given_and_is_of_the_network() -> None:
    made = TRIAL.attached_pod
    assert made["metadata"]["labels"] == {"a": "b"}
    assert made["metadata"]["annotations"] == {"c": "d", FIRST: "ns/t"}
    assert made["spec"] == {"e": 1}


def test_all_that_is_made_has_the_owner_where_there_is_one() -> None:
    owned = Trial("ns", "t", "eth0", POD, owner=OWNER)
    for made in (owned.network, owned.attached_pod):
        assert made["metadata"]["ownerReferences"] == [OWNER]
    assert "ownerReferences" not in TRIAL.network["metadata"]


def line(verdict: Verdict) -> str:
    assert verdict.amiss is not None
    return verdict.amiss.line


@pytest.mark.parametrize(
    ("coordinator", "said"),
    [
        (None, "SpiderCoordinator default: does not exist: create it, or helm upgrade with"),
        ({}, "no operator has looked at it: see whether the operator's pod runs"),
        ({"status": {"phase": "NotReady", "reason": "no pod CIDR"}}, "Synced: no pod CIDR"),
        ({"status": {"phase": "NotReady"}}, "see whether the operator's pod runs"),
    ],
)
def test_a_coordinator_that_knows_nothing_may_yet_learn(
    coordinator: Object | None, said: str
) -> None:
    verdict = verification.judge_coordinator("default", coordinator)
    assert said in line(verdict)
    assert not verdict.final


def test_a_coordinator_that_is_synced_will_do() -> None:
    assert verification.judge_coordinator("default", {"status": {"phase": "Synced"}}) == DONE


@pytest.mark.parametrize(
    ("spec", "address"),
    [
        ({}, ""),
        ({"vethLinkAddress": "169.254.100.1"}, "169.254.100.1"),
        ({"vethLinkAddress": "none"}, ""),
        ({"vethLinkAddress": "169.254.100.1", "mode": "disabled"}, ""),
        ({"vethLinkAddress": "169.254.100.1", "mode": "overlay"}, "169.254.100.1"),
    ],
)
def test_the_address_in_effect(spec: Object, address: str) -> None:
    assert verification.effective_address({"spec": spec}) == address


def test_multus_kind_is_not_waited_for() -> None:
    verdict = verification.judge_multus(served=False)
    assert (
        "NetworkAttachmentDefinition (k8s.cni.cncf.io/v1): the API server does not have it"
        in line(verdict)
    )
    assert verdict.final
    assert verification.judge_multus(served=True) == DONE


@pytest.mark.parametrize(
    ("status", "made", "said", "final"),
    [
        ({}, None, "SpiderMultusConfig ns/t: no operator has looked at it", False),
        (conditions(Ready=("False", "NoIPAM", "it has none")), None, "NoIPAM: it has none", False),
        (conditions(Ready=("False", "Invalid", "so it is")), None, "Invalid: so it is", True),
        (
            conditions(
                Ready=("False", "MasterMissing", "eth0 is nowhere"),
                NodesReady=("False", "MasterMissing", "eth0 is nowhere"),
            ),
            None,
            "MasterMissing: eth0 is nowhere",
            True,
        ),
        (READY, None, "NetworkAttachmentDefinition ns/t: was not made", False),
        (READY, nad({"vethLinkAddress": "fe80::1"}, "t/other"), "was not made", False),
        (READY, nad({"notReadyReason": "no CIDRs"}), "pods do not start: no CIDRs", False),
        (READY, nad({}), "has vethLinkAddress none: the SpiderCoordinator says fe80::1", False),
        (READY, nad({"vethLinkAddress": "fe80::2"}), "has vethLinkAddress fe80::2", False),
    ],
)
def test_a_network_that_is_not_rendered_as_in_effect(
    status: Object, made: Object | None, said: str, *, final: bool
) -> None:
    verdict = verification.judge_network(network(status), made, "fe80::1")
    assert said in line(verdict)
    assert verdict.final is final


@pytest.mark.parametrize("address", ["", "fe80::1"])
def test_a_network_as_in_effect_will_do(address: str) -> None:
    made = nad({"vethLinkAddress": address} if address else {})
    assert verification.judge_network(network(READY), made, address) == DONE


def event(reason: str, time: str, kind: str = "Warning") -> Object:
    return {"type": kind, "reason": reason, "message": "m", "lastTimestamp": time}


def container(**state: Object) -> Object:
    return {"containerStatuses": [{"name": "explain", "state": state}]}


PULL = container(waiting={"reason": "ErrImagePull", "message": "no such image"})
FAILED = container(terminated={"exitCode": 1, "message": "explain: no"})
UNSCHEDULED: Object = {
    "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/2 nodes"}]
}


@pytest.mark.parametrize(
    ("made", "events", "said", "final"),
    [
        (pod(), [], "Pod ns/t on n1: is Pending", False),
        (
            pod(),
            [event("B", "2026-01-02T00:00:00Z"), event("A", "2026-01-01T00:00:00Z")],
            "does not start: B: m: test.interface has to be",
            False,
        ),
        (pod(), [event("A", "2026-01-01T00:00:00Z", "Normal")], "is Pending", False),
        (pod(**PULL), [event("Failed", "")], "ErrImagePull: no such image: the image is", False),
        (pod("Pending", "", **UNSCHEDULED), [], "Pod ns/t: no node takes it: 0/2 nodes", False),
        (pod("Failed", **FAILED), [], "failed: explain: no", True),
        (pod("Failed", reason="DeadlineExceeded"), [], "failed: DeadlineExceeded", True),
        (pod("Failed"), [], "failed: it says nothing", True),
    ],
)
def test_a_pod_that_does_not_start_says_why(
    made: Object, events: list[Object], said: str, *, final: bool
) -> None:
    verdict = verification.judge_pod(made, events)
    assert said in line(verdict)
    assert verdict.final is final


def test_a_pod_that_ended_well_will_do() -> None:
    assert verification.judge_pod(pod("Succeeded"), [event("A", "")]) == DONE


def report(**changes: object) -> PodReport:
    return PodReport.read({**copy.deepcopy(REPORT), **changes})


def test_multus_is_known_by_what_it_writes_or_by_our_own_link() -> None:
    bare = report(interfaces=[REPORT["interfaces"][0]])
    assert not verification.attached_by_multus(pod(), bare)
    assert verification.attached_by_multus(pod(), report())
    attached = pod()
    attached["metadata"]["annotations"][NETWORK_STATUS] = "[]"
    assert verification.attached_by_multus(attached, bare)
    told = verification.without_multus(pod())
    assert told.level == "NOTE"
    assert "skipped" in told.line


def test_what_the_pod_lacks_of_its_nad_is_told_and_nothing_else() -> None:
    section = {"vethLinkAddress": "169.254.100.1", "serviceCIDR": ["10.96.0.0/12"]}
    blind = report(marks={}, redirects=[], unseen="no NET_ADMIN")
    assert verification.judge_report(nad(section), blind) == []
    [lacking] = verification.judge_report(nad(section | {"vethLinkAddress": "fe80::9"}), blind)
    assert "veth0: lacks the address fe80::9" in lacking.line
    [lacking] = verification.judge_report(nad(section), report(interfaces=REPORT["interfaces"][:1]))
    assert "veth0: does not exist" in lacking.line


@pytest.mark.parametrize(
    ("has", "said"),
    [
        (["fe80::1/128"], "veth0 with fe80::1/128"),
        ([], "veth0 with no address"),
        (None, "no veth0"),
    ],
)
def test_what_veth0_has(has: list[str] | None, said: str) -> None:
    veth = [{**REPORT["interfaces"][1], "addresses": has}] if has is not None else []
    assert verification.addresses(report(interfaces=veth)) == said
