"""When a master that no node has is worth a warning, and when it is not."""

from typing import Any

import pytest

from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.core.checks.admission import review_network
from spidercoordinator.core.nodes.findings import findings
from spidercoordinator.core.nodes.fleet import Fleet
from spidercoordinator.core.nodes.needs import needs_of
from spidercoordinator.core.nodes.report import NodeReport

BOND = {"name": "bond0", "mode": 1}
HAVE = ("eth0", "eth1", "eth0.100")


Told = tuple[str, NodeReport]


def reported(*names: str, node: str = "node1", **also: Any) -> Told:
    return node, NodeReport(frozenset(names), **also)


def warnings(spec: dict[str, Any], *nodes: Told, silent: tuple[str, ...] = ()) -> list[str]:
    parsed = SpiderMultusConfigSpec.model_validate(spec)
    fleet = Fleet(dict(nodes), frozenset(silent))
    return [str(each.warning) for each in findings(needs_of(parsed), fleet)]


def missing(spec: dict[str, Any], *nodes: Told) -> list[str]:
    """The fields whose interface is missing."""
    return [each.split(":")[0] for each in warnings(spec, *nodes)]


def on(*masters: str, cni_type: str = "macvlan", **also: Any) -> dict[str, Any]:
    return {"cniType": cni_type, cni_type: {"master": list(masters), **also}}


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        pytest.param(on("eth0"), [], id="there"),
        pytest.param(on("eth9"), ["spec.macvlan.master[0]"], id="not there"),
        pytest.param(on("eth9", cni_type="ipvlan"), ["spec.ipvlan.master[0]"], id="ipvlan"),
        pytest.param(on("eth9", cni_type="vlan", vlanID=5), ["spec.vlan.master[0]"], id="vlan"),
        pytest.param(
            {"cniType": "ipoib", "ipoib": {"master": "ib9"}}, ["spec.ipoib.master"], id="ipoib"
        ),
        pytest.param(on("eth0.100"), [], id="a VLAN interface that is there"),
        pytest.param(on("eth9", linkInContainer=True), [], id="in the pod"),
        pytest.param(
            on("eth9", linkInContainer=True, vlanID=5),
            ["spec.macvlan.master[0]"],
            id="in the pod, but its VLAN interface is made on the node",
        ),
        pytest.param(
            on("eth1.100"), ["spec.macvlan.master[0]"], id="nobody makes it if there is no vlanID"
        ),
        pytest.param(on("eth1", vlanID=100), [], id="the VLAN interface is made on the master"),
        pytest.param(on("eth9", vlanID=100), ["spec.macvlan.master[0]"], id="VLAN on nothing"),
        pytest.param(on("eth0", "eth1", bond=BOND), [], id="the bond is made of the masters"),
        pytest.param(
            on("eth0", "eth8", "eth9", bond=BOND),
            ["spec.macvlan.master[1]", "spec.macvlan.master[2]"],
            id="a bond without some of its masters",
        ),
        pytest.param(
            on("eth9", bond=BOND), ["spec.macvlan.master[0]"], id="the bond of one is not made"
        ),
        pytest.param(
            {"cniType": "sriov", "sriov": {"resourceName": "a.io/b"}}, [], id="sriov has none"
        ),
        pytest.param(
            {"cniType": "ib-sriov", "ibsriov": {"resourceName": "a.io/b"}}, [], id="ib-sriov, too"
        ),
        pytest.param({"cniType": "ovs", "ovs": {"bridge": "br9"}}, [], id="ovs has a bridge"),
        pytest.param({"cniType": "custom"}, [], id="custom is the user's own"),
    ],
)
def test_which_interface_has_to_be_there(spec: dict[str, Any], fields: list[str]) -> None:
    assert missing(spec, reported(*HAVE)) == fields


def test_a_bond_that_is_there_needs_the_masters_too() -> None:
    """The ifacer plugin takes it only if it is a bond of them."""
    spec = on("eth0", "eth9", bond=BOND)
    assert missing(spec, reported("eth0", "bond0")) == ["spec.macvlan.master[1]"]


@pytest.mark.parametrize(
    ("nodes", "where"),
    [
        pytest.param((), None, id="no node reported"),
        pytest.param(
            (reported("eth0", node="a"),),
            "on the only node that reports (a), so pods fail: see",
            id="the only one",
        ),
        pytest.param(
            (reported("eth0", node="a"), reported("eth1", node="b")),
            "on any of the 2 nodes that report (a, b), so pods fail: see",
            id="on none",
        ),
        pytest.param(
            tuple(reported(node=each) for each in "dcba"),
            "on any of the 4 nodes that report (a, b and 2 more), so pods fail: see",
            id="on none of many",
        ),
        pytest.param(
            (reported("eth0", node="a"), reported("eth9", node="b")),
            "on 1 of 2 nodes (a), so pods fail there: see",
            id="on one of them",
        ),
        pytest.param((reported("eth0", truncated=True),), None, id="it may be among the others"),
        pytest.param(
            (reported("eth0", node="a"), reported(node="b", truncated=True)),
            "on the only node that reports (a), so pods fail: see `ip link` there; of 1 it is not"
            " known (b)",
            id="or so on one node",
        ),
        pytest.param((reported("eth0", unlisted=("et",)),), None, id="names like it are left out"),
        pytest.param(
            (reported("eth0", node="a", unlisted=("th",)),),
            "on the only node that reports (a), so",
            id="names unlike it are left out",
        ),
        pytest.param(
            (reported(node="a"),), "on the only node that reports (a), so", id="no interfaces"
        ),
        pytest.param(
            (("a", NodeReport(None, plugins=frozenset({"loopback", "multus", "macvlan"}))),),
            None,
            id="a reporter that cannot see interfaces",
        ),
    ],
)
def test_reports_of_several_nodes(nodes: tuple[Told, ...], where: str | None) -> None:
    found = [each for each in warnings(on("eth9"), *nodes) if "eth9" in each]
    if where is None:
        assert found == []
    else:
        [text] = found
        assert f'spec.macvlan.master[0]: interface "eth9" is not {where}' in text
        # kubectl may see no more of a warning than this.
        assert len(text) < 256


def test_nodes_that_tell_nothing_are_named_apart() -> None:
    [text] = warnings(on("eth9"), reported(node="a"), silent=("y", "x", "z"))
    assert "(a), so pods fail" in text
    assert text.endswith("; of 3 it is not known (x, y and 1 more)")


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        (on("eth0", mtu=9000), ["spec.macvlan.mtu"]),
        (on("eth0", mtu=1500), []),
        (on("eth0"), []),
        (on("eth0", mtu=9000, cni_type="ipvlan"), ["spec.ipvlan.mtu"]),
        (on("eth0", mtu=9000, vlanID=7), []),
        (on("eth1", mtu=9000), []),
    ],
)
def test_an_mtu_above_the_masters(spec: dict[str, Any], fields: list[str]) -> None:
    node = reported("eth0", "eth1", node="a", mtus={"eth0": 1500})
    assert missing(spec, node) == fields
    for text in warnings(spec, node):
        assert (
            "MTU 9000 on eth0 is not possible on the only node that reports (a; found 1500)" in text
        )


def network(spec: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a", "namespace": "ns", **meta}, "spec": spec}


def test_it_is_a_warning_and_no_refusal() -> None:
    thing = network(on("eth9"))
    for before in (None, network(on("eth0"))):
        answer = review_network(
            thing, before, rivals=[], nad=None, nodes=Fleet(dict([reported("eth0")]))
        )
        assert answer.refusals == ()
        assert [each.split(":")[0] for each in answer.warnings] == ["spec.macvlan.master[0]"]


def test_a_network_that_goes_or_is_refused_gets_no_warning() -> None:
    going = network(on("eth9"), deletionTimestamp="2026-01-01T00:00:00Z")
    refused = network({**on("eth9"), "chainCNIJsonData": ["{"]})
    for thing in (going, refused):
        answer = review_network(
            thing, None, rivals=[], nad=None, nodes=Fleet(dict([reported("eth0")]))
        )
        assert answer.warnings == ()
