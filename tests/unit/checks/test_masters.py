"""When a master that no node has is worth a warning, and when it is not."""

from typing import Any

import pytest

from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.core.checks.admission import review_network
from spidercoordinator.core.checks.masters import Interfaces, NodeInterfaces, missing_masters

BOND = {"name": "bond0", "mode": 1}
HAVE = ("eth0", "eth1", "eth0.100")


def reported(*names: str, node: str = "node1", **also: Any) -> NodeInterfaces:
    return NodeInterfaces(node, Interfaces(frozenset(names), **also))


def missing(spec: dict[str, Any], *nodes: NodeInterfaces) -> list[str]:
    """The fields whose interface is missing."""
    parsed = SpiderMultusConfigSpec.model_validate(spec)
    return [each.field for each in missing_masters(parsed, nodes)]


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
    ("nodes", "warned"),
    [
        pytest.param((), False, id="no node reported"),
        pytest.param((reported("eth0"), reported("eth1", node="b")), True, id="on none"),
        pytest.param((reported("eth0"), reported("eth9", node="b")), False, id="on one of them"),
        pytest.param((reported("eth0", truncated=True),), False, id="it may be among the others"),
        pytest.param(
            (reported("eth0"), reported(node="b", truncated=True)), False, id="or so on one node"
        ),
        pytest.param(
            (reported("eth0", unlisted=("et",)),), False, id="names like it are not reported"
        ),
        pytest.param(
            (reported("eth0", unlisted=("th",)),), True, id="names unlike it are not reported"
        ),
        pytest.param((reported("eth0"), reported("eth9")), False, id="two pods of one node"),
        pytest.param((reported(),), True, id="a node without interfaces"),
    ],
)
def test_reports_of_several_nodes(nodes: tuple[NodeInterfaces, ...], *, warned: bool) -> None:
    assert bool(missing(on("eth9"), *nodes)) == warned


@pytest.mark.parametrize(
    ("nodes", "where"),
    [
        (["a"], "is not on a, the only node looked at; check"),
        (["a", "a"], "is not on a, the only node looked at; check"),
        (["b", "a"], "is on none of the 2 nodes looked at (a, b); check"),
        (["d", "c", "b", "a"], "is on none of the 4 nodes looked at (a, b and 2 more); check"),
    ],
)
def test_the_message_says_where_was_looked(nodes: list[str], where: str) -> None:
    spec = SpiderMultusConfigSpec.model_validate(on("eth9"))
    [found] = missing_masters(spec, [reported("eth0", node=node) for node in nodes])
    assert f'spec.macvlan.master[0]: "eth9" {where}' in str(found)
    # kubectl may see no more of a warning than this.
    assert len(str(found)) < 256


def network(spec: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a", "namespace": "ns", **meta}, "spec": spec}


def test_it_is_a_warning_and_no_refusal() -> None:
    thing = network(on("eth9"))
    for before in (None, network(on("eth0"))):
        answer = review_network(thing, before, rivals=[], nad=None, nodes=[reported("eth0")])
        assert answer.refusals == ()
        assert [each.split(":")[0] for each in answer.warnings] == ["spec.macvlan.master[0]"]


def test_a_network_that_goes_or_is_refused_gets_no_warning() -> None:
    going = network(on("eth9"), deletionTimestamp="2026-01-01T00:00:00Z")
    refused = network({**on("eth9"), "chainCNIJsonData": ["{"]})
    for thing in (going, refused):
        answer = review_network(thing, None, rivals=[], nad=None, nodes=[reported("eth0")])
        assert answer.warnings == ()
