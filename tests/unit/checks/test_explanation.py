"""What is said of a pod: each fault is made in a good report, and one finding is wanted for it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spidercoordinator.core.checks.diagnosis import Finding
from spidercoordinator.core.checks.explainpage import page
from spidercoordinator.core.checks.explanation import (
    FIRST,
    FURTHER,
    Attachment,
    attachments,
    judge,
)
from spidercoordinator.core.checks.podreport import PodReport
from spidercoordinator.errors import ManifestError

ROOT = Path(__file__).parents[3]
REPORT: dict[str, Any] = json.loads(
    (ROOT / "cni" / "internal" / "explain" / "testdata" / "report.json").read_text()
)
"""A good one; the Go side tests that it is what it writes."""
SECTION = {
    "type": "coordinator",
    "vethLinkAddress": "169.254.100.1",
    "serviceCIDR": ["10.96.0.0/12", "fd00:96::/112"],
}
MADE = "2026-01-02T03:04:05Z"

Json = dict[str, Any]


def pod(**annotations: str) -> Json:
    meta = {"namespace": "ns", "name": "app", "annotations": annotations}
    status = {"phase": "Running", "startTime": MADE}
    return {"metadata": meta, "spec": {"nodeName": "n1"}, "status": status}


def nad(section: Json | None = None, written: str = "2026-01-01T00:00:00Z") -> Json:
    plugins = [{"type": "macvlan"}, *([SECTION] if section is None else [section])]
    entries = [
        {"time": written, "fieldsV1": {"f:spec": {"f:config": {}}}},
        {"time": "2027-01-01T00:00:00Z", "fieldsV1": {"f:metadata": {"f:annotations": {}}}},
    ]
    config = json.dumps({"name": "net", "plugins": plugins})
    return {"metadata": {"managedFields": entries}, "spec": {"config": config}}


NETWORKS = [Attachment("ns", "net", first=True, nad=nad())]


def errors(report: Json, networks: list[Attachment] = NETWORKS) -> list[Finding]:
    return judge(pod(), networks, PodReport.read(report))


def test_nothing_is_said_of_a_good_pod() -> None:
    assert errors(REPORT) == []


def interface(report: Json, name: str) -> Json:
    found: Json = next(each for each in report["interfaces"] if each["name"] == name)
    return found


def without_veth(report: Json) -> None:
    report["interfaces"].remove(interface(report, "veth0"))


def down(report: Json) -> None:
    interface(report, "veth0")["up"] = False


def without_route(report: Json) -> None:
    report["routes"] = [each for each in report["routes"] if each["dev"] != "veth0"]


def without_neighbour(report: Json) -> None:
    report["neighbours"] = []


def broken_marks(report: Json) -> None:
    report["marks"]["IPv4"] = "broken"


def without_mark_rule(report: Json) -> None:
    report["rules"] = [each for each in report["rules"] if not each["mark"]]


def unseen(report: Json) -> None:
    report |= {"unseen": "operation not permitted", "redirects": [], "marks": {}}


FAULTS: list[tuple[Callable[[Json], None], str, str]] = [
    (without_veth, "ERROR", "veth0: does not exist"),
    (down, "ERROR", "veth0: is down"),
    (without_route, "ERROR", "route to 10.96.0.0/12 by veth0: is not there (serviceCIDR"),
    (without_neighbour, "WARNING", "neighbour 10.0.0.2, the node: has no entry at veth0"),
    (broken_marks, "ERROR", "nftables table spidercoordinator of IPv4: was edited"),
    (without_mark_rule, "ERROR", "ip rule fwmark 0x20000000: is not there for IPv4"),
    (unseen, "UNSEEN", "marks and redirects: operation not permitted"),
]


@pytest.mark.parametrize(("fault", "level", "text"), FAULTS, ids=[e[0].__name__ for e in FAULTS])
def test_each_fault_is_one_finding(fault: Callable[[Json], None], level: str, text: str) -> None:
    report = copy.deepcopy(REPORT)
    fault(report)
    [finding] = errors(report)
    assert finding.level == level
    assert finding.line.split(None, 1)[1].startswith(text)
    assert finding.advice


def test_a_mesh_needs_an_address_on_veth0() -> None:
    report = copy.deepcopy(REPORT)
    interface(report, "veth0")["addresses"] = []
    lacks, drops = errors(report)
    assert lacks.value == "lacks the address 169.254.100.1 of the network"
    assert "has no IPv4 address: the kernel drops what nat/ISTIO_IN_REDIRECT" in drops.value
    none = [Attachment("ns", "net", first=True, nad=nad(SECTION | {"vethLinkAddress": ""}))]
    [drops] = errors(report, none)
    assert "vethLinkAddress" in drops.advice
    report["redirects"] = []
    assert errors(report, none) == []


@pytest.mark.parametrize("mode", ["overlay", "disabled"])
def test_a_pod_without_second_leg_lacks_none(mode: str) -> None:
    report = copy.deepcopy(REPORT)
    without_veth(report)
    assert (
        errors(report, [Attachment("ns", "net", first=True, nad=nad(SECTION | {"mode": mode}))])
        == []
    )
    assert errors(report, [Attachment("ns", "net", first=False, nad=nad())]) == []


def test_what_is_wrong_with_networks_is_said() -> None:
    missing = Attachment("ns", "net", first=True)
    other = Attachment("ns", "b", first=False, nad={"spec": {"config": '{"type":"macvlan"}'}})
    broken = Attachment("ns", "c", first=False, nad=nad(SECTION | {"notReadyReason": "no CIDR"}))
    later = Attachment("ns", "d", first=False, nad=nad(written="2026-02-01T00:00:00Z"))
    found = judge(pod(), [missing, other, broken, later], None)
    assert [(each.level, each.value) for each in found] == [
        ("ERROR", "does not exist"),
        ("NOTE", "has no coordinator"),
        ("ERROR", "new pods do not start"),
        ("NOTE", f"was written at 2026-02-01T00:00:00Z, after the pod was made at {MADE}"),
    ]
    waiting = pod() | {"status": {"phase": "Pending"}}
    assert [each.value for each in judge(waiting, [], None)] == [
        "is Pending",
        "asks for no network of Multus",
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", [("ns", "a")]),
        ("other/a@net1, b", [("other", "a"), ("ns", "b")]),
        ('[{"name":"a","namespace":"other"},{"name":"b"},{},3]', [("other", "a"), ("ns", "b")]),
        ("{}", []),
        ("", []),
    ],
)
def test_networks_are_read_as_multus_reads_them(text: str, names: list[tuple[str, str]]) -> None:
    found = attachments(pod(**{FURTHER: text, FIRST: "first"}))
    assert [(each.namespace, each.name) for each in found] == [("ns", "first"), *names]
    assert [each.first for each in found] == [True, *(False for _ in names)]


def test_a_report_of_another_release_is_named() -> None:
    with pytest.raises(ManifestError, match="routes: the installer is of another release"):
        PodReport.read({key: value for key, value in REPORT.items() if key != "routes"})


def test_the_page_draws_the_pod() -> None:
    text = "\n".join(page(pod(), NETWORKS, PodReport.read(REPORT)))
    assert text.startswith(f"Pod ns/app on node n1: Running, made {MADE}\n")
    assert (
        f"revision {NETWORKS[0].revision} of 2026-01-01T00:00:00Z, the pod was made with it" in text
    )
    assert "│ veth0  up   169.254.100.1/32 ──▶ the node: 10.96.0.0/12" in text
    assert "│ eth0   up   172.30.0.5/16    ──▶ everything else" in text
    assert "◀── REDIRECT by nat/ISTIO_IN_REDIRECT (IPv4)" in text
    assert "IPv4 100: from all fwmark 0x20000000/0x20000000 table 5000" in text
    assert "marks: IPv4 complete, IPv6 absent" in text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("123", ["123"]),
        ("true", ["true"]),
        ("a, other/b@net2", ["a", "b"]),
        ('[{"name": "a"}]', ["a"]),
        ('[{"name": "a"', []),
        ('"a"', []),
        ("[" * 100_000, []),
    ],
    ids=lambda value: str(value)[:16],
)
def test_an_annotation_is_read_as_multus_reads_it(text: str, names: list[str]) -> None:
    given = pod(**{FURTHER: text})
    assert [each.name for each in attachments(given)] == names
    told = [each.line for each in judge(given, [], None) if FURTHER in each.line]
    assert bool(told) == (not names)


@pytest.mark.parametrize("field", ["mode", "serviceCIDR", "hijackCIDR", "vethLinkAddress"])
@pytest.mark.parametrize("value", [5, "hello", {}, [], [5], ["hello"], [{}], None])
def test_a_section_written_by_hand_can_hold_anything(field: str, value: Any) -> None:
    networks = [Attachment("ns", "net", first=True, nad=nad(SECTION | {field: value}))]
    found = errors(REPORT, networks)
    assert all(each.what == "veth0" for each in found)
    assert page(pod(), networks, PodReport.read(REPORT))
