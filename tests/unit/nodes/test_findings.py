"""What follows for a network from what nodes lack, and when networks are decided on anew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.diagnosis import Snapshot, diagnose
from spidercoordinator.core.network.conditions import network_conditions
from spidercoordinator.core.network.status import NetworkOutcome, network_status
from spidercoordinator.core.nodes.findings import Finding, findings, kept, served, shown_age
from spidercoordinator.core.nodes.fleet import Fleet
from spidercoordinator.core.nodes.needs import Need
from spidercoordinator.core.nodes.questions import HasInterface, HasPlugin
from spidercoordinator.core.nodes.report import NodeReport
from tests.unit.nodes.test_plugins import on

PLUGIN = Need("PluginMissing", "spec.cniType", HasPlugin("p"), 'CNI plugin "p"', "is not", "mend")
MASTER = Need("MasterMissing", "spec.x", HasInterface("eth9"), 'interface "eth9"', "is not", "mend")
LACKS = NodeReport(frozenset({"eth0"}), plugins=frozenset({"loopback"}))
HAS = NodeReport(frozenset({"eth9"}), plugins=frozenset({"loopback", "p"}))
MUTE = NodeReport(None)


def fleet(silent: Iterable[str] = (), **reports: NodeReport) -> Fleet:
    return Fleet(reports, frozenset(silent))


def status_of(of: Fleet, before: Object | None = None) -> Object:
    """The status of a network that needs both."""
    found = findings([MASTER, PLUGIN], of)
    by_nodes = served(found, of)
    spec = SpiderMultusConfigSpec.model_validate(on("eth0", ipam={"type": "dhcp"}))
    conditions = network_conditions(spec, None)
    outcome = NetworkOutcome(
        nad="a",
        message="in sync",
        warnings=[*conditions, *by_nodes.conditions],
        blocking=by_nodes.blocking,
    )
    network = {"metadata": {"generation": 1}, "status": before or {}}
    return network_status(outcome, network, now="2026-01-01T00:00:00Z")


def told(status: Object, kind: str) -> tuple[str, str] | None:
    for each in status["conditions"]:
        if each["type"] == kind:
            return each["status"], each["reason"]
    return None


@pytest.mark.parametrize(
    ("of", "nodes_ready", "ready"),
    [
        pytest.param(fleet(), None, "True", id="no node reports"),
        pytest.param(fleet(a=MUTE), ("True", "AllNodes"), "True", id="nothing is told"),
        pytest.param(fleet(a=HAS, b=HAS), ("True", "AllNodes"), "True", id="all have it"),
        pytest.param(
            fleet(["s"], a=HAS),
            ("True", "AllNodes"),
            "True",
            id="a silent node",
        ),
        pytest.param(
            fleet(a=HAS, b=LACKS),
            ("True", "SomeNodes"),
            "True",
            id="some have it",
        ),
        pytest.param(
            fleet(a=LACKS, b=LACKS), ("False", "MasterMissing"), "False", id="none has it"
        ),
        pytest.param(
            fleet(["s"], a=LACKS),
            ("False", "MasterMissing"),
            "True",
            id="none that tells has it, one may",
        ),
        pytest.param(
            fleet(
                a=NodeReport(frozenset({"eth9"}), plugins=frozenset({"loopback"})),
                b=NodeReport(frozenset({"eth0"}), plugins=frozenset({"loopback"})),
            ),
            ("False", "PluginMissing"),
            "False",
            id="what no node has comes first",
        ),
    ],
)
def test_what_nodes_lack_shows_in_the_conditions(
    of: Fleet,
    nodes_ready: tuple[str, str] | None,
    ready: str,
) -> None:
    status = status_of(of)
    assert told(status, "NodesReady") == nodes_ready
    shown = told(status, "Ready")
    assert shown is not None
    assert shown[0] == ready
    if ready == "False":
        assert nodes_ready is not None
        assert shown[1] == nodes_ready[1]


def test_the_message_names_what_and_where_and_is_of_bounded_length() -> None:
    many = {f"node-{number:04}": LACKS for number in range(5000)}
    status = status_of(Fleet(many, frozenset(f"s{number}" for number in range(5000))))
    [message] = [each["message"] for each in status["conditions"] if each["type"] == "NodesReady"]
    assert 'interface "eth9" is not on any of the 5000 nodes that report' in message
    assert "(node-0000, node-0001 and 4998 more)" in message
    assert "of 5000 it is not known (s0, s1 and 4998 more)" in message
    assert 'CNI plugin "p"' in message
    assert message.endswith("reports are at most 5 minutes old")
    assert len(message) < 1000


def test_before_nodes_had_the_time_to_tell_all_stays_as_it_was() -> None:
    for of in (fleet(a=LACKS), fleet(a=HAS, b=LACKS), fleet(["s"], a=LACKS), fleet(a=HAS), fleet()):
        before = status_of(of)
        still = kept(before)
        outcome = NetworkOutcome(
            nad="a",
            message="in sync",
            warnings=[*still.conditions],
            blocking=still.blocking,
        )
        network = {"metadata": {"generation": 1}, "status": before}
        after = network_status(outcome, network, now="2027-01-01T00:00:00Z")
        for kind in ("Ready", "NodesReady"):
            assert told(after, kind) == told(before, kind)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        pytest.param(fleet(a=LACKS), fleet(a=LACKS), False, id="the same"),
        pytest.param(fleet(a=HAS), fleet(a=HAS, b=HAS), False, id="one more that has it"),
        pytest.param(fleet(a=HAS), fleet(["s"], a=HAS), False, id="one goes silent"),
        pytest.param(fleet(a=LACKS), fleet(["s"], a=LACKS), True, id="and may have it"),
        pytest.param(fleet(a=HAS), fleet(a=LACKS), True, id="it is gone"),
        pytest.param(fleet(a=HAS, b=HAS), fleet(a=HAS, b=LACKS), True, id="it is gone from one"),
        pytest.param(fleet(), fleet(a=HAS), True, id="the first report"),
        pytest.param(fleet(a=HAS), fleet(), True, id="no report any more"),
        pytest.param(
            fleet(a=HAS),
            fleet(a=NodeReport(frozenset({"eth9", "tun0"}), plugins=HAS.plugins)),
            False,
            id="what nobody asked for",
        ),
    ],
)
def test_networks_are_decided_on_anew_when_an_answer_changes(
    before: Fleet, after: Fleet, *, changes: bool
) -> None:
    findings([MASTER, PLUGIN], before)
    assert after.changes(before) is changes
    # What was asked is remembered, though nobody asked it again.
    assert Fleet(before.reports, before.silent).changes(after) is changes


REPORTS = st.dictionaries(
    st.sampled_from("abcdef"), st.sampled_from([HAS, LACKS, MUTE]), max_size=6
)
FLEETS = st.builds(Fleet, REPORTS, st.frozensets(st.sampled_from("uvw")))


@given(FLEETS, FLEETS)
def test_a_status_differs_only_if_an_answer_changed(one: Fleet, other: Fleet) -> None:
    """So that no change is missed when networks are not decided on anew."""
    first, second = status_of(one), status_of(other)
    if not other.changes(one):
        assert first == second


@given(FLEETS)
def test_nothing_is_claimed_of_a_node_that_does_not_tell(of: Fleet) -> None:
    for each in findings([MASTER, PLUGIN], of):
        assert isinstance(each, Finding)
        knows = sum(report is not MUTE for report in of.reports.values())
        assert each.answer.have + each.answer.lacking.count == knows
        assert each.answer.unknown.count == len(of.reports) - knows + len(of.silent)
        assert each.fatal == (
            not any(report is not LACKS for report in of.reports.values()) and not of.silent
        )


def test_the_doctor_tells_of_it() -> None:
    lines = {}
    for name, of in (("none", fleet(a=LACKS)), ("some", fleet(a=HAS, b=LACKS))):
        meta = {"namespace": "ns", "name": name, "generation": 1}
        network = {"metadata": meta, "status": status_of(of)}
        found = diagnose(Snapshot("default", [], [network], [], datetime.now(UTC)))
        lines[name] = [each.line for each in found if name in each.what]
    assert [each.split()[0] for each in lines["none"]] == ["ERROR"]
    assert "not Ready, MasterMissing" in lines["none"][0]
    assert [each.split()[0] for each in lines["some"]] == ["WARNING"]
    assert 'interface "eth9" is not on 1 of 2 nodes (b)' in lines["some"][0]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0 s"), (119, "119 s"), (300, "5 min"), (9000, "2 h")]
)
def test_ages_are_shown(seconds: float, shown: str) -> None:
    assert shown_age(seconds) == shown
