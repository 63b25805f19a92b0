"""CNI plugins that a network calls and nodes do not have."""

import json
from typing import Any

import pytest

from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.core.checks.admission import review_network
from spidercoordinator.core.checks.masters import Interfaces, NodeInterfaces
from spidercoordinator.core.checks.missing_plugins import missing_plugins

BOND = {"name": "bond0", "mode": 1}


def node(name: str, *plugins: str) -> NodeInterfaces:
    interfaces = Interfaces(frozenset({"eth0"}), plugins=frozenset({"loopback", *plugins}))
    return NodeInterfaces(name, interfaces)


def missing(spec: dict[str, Any], *nodes: NodeInterfaces) -> list[str]:
    parsed = SpiderMultusConfigSpec.model_validate(spec)
    return [str(each) for each in missing_plugins(parsed, nodes)]


def on(*masters: str, **fields: Any) -> dict[str, Any]:
    further = ("ipam", "chainCNIJsonData")
    spec: dict[str, Any] = {name: fields.pop(name) for name in further if name in fields}
    return {"cniType": "macvlan", "macvlan": {"master": [*masters], **fields}, **spec}


@pytest.mark.parametrize(
    ("spec", "called"),
    [
        (on("eth0"), {"spec.cniType": "macvlan"}),
        (on("eth0", vlanID=7), {"spec.macvlan": "ifacer", "spec.cniType": "macvlan"}),
        (on("eth0", "eth1", bond=BOND), {"spec.macvlan": "ifacer", "spec.cniType": "macvlan"}),
        (
            on("eth0", ippools={"ipv4": ["p"]}),
            {"spec.cniType": "macvlan", "spec.macvlan.ippools": "spiderpool"},
        ),
        (
            on("eth0", ipam={"type": "whereabouts"}, chainCNIJsonData=['{"type":"sbr"}']),
            {
                "spec.cniType": "macvlan",
                "spec.ipam": "whereabouts",
                "spec.chainCNIJsonData[0]": "sbr",
            },
        ),
        (
            {"cniType": "sriov", "sriov": {"resourceName": "a.io/b", "mtu": 9000}},
            {"spec.cniType": "sriov", "spec.sriov": "tuning"},
        ),
        (
            {"cniType": "ib-sriov", "ibsriov": {"resourceName": "a.io/b"}},
            {"spec.cniType": "ib-sriov"},
        ),
        ({"cniType": "ovs", "ovs": {"bridge": "br0"}}, {"spec.cniType": "ovs"}),
        ({"cniType": "custom"}, {}),
    ],
)
def test_each_plugin_is_named_with_its_field(spec: dict[str, Any], called: dict[str, str]) -> None:
    found = missing(spec, node("a", "coordinator"))
    assert {each.split(":")[0]: each.split('"')[1] for each in found} == called
    assert all(len(each) < 256 for each in found)


def test_the_plugins_inside_custom_configurations() -> None:
    plugins = [{"type": "bridge", "ipam": {"type": "dhcp"}}, {"type": "bridge"}]
    for content in ({"plugins": plugins}, plugins[0]):
        found = missing({"cniType": "custom", "customCNI": json.dumps(content)}, node("a", "x"))
        assert [each.split('"')[1] for each in found] == ["bridge", "dhcp"]
        assert {each.split(":")[0] for each in found} == {"spec.customCNI"}


@pytest.mark.parametrize(
    ("nodes", "where"),
    [
        ([node("a", "x")], "is on none of the 1 nodes looked at (a), so pods fail; install it"),
        (
            [node("b", "x"), node("a", "x"), node("c", "x")],
            "is on none of the 3 nodes looked at (a, b and 1 more), so pods fail; install it",
        ),
        (
            [node("b", "macvlan"), node("a", "x")],
            "is not on 1 of the 2 nodes looked at (a); install it",
        ),
    ],
)
def test_the_message_counts_nodes(nodes: list[NodeInterfaces], where: str) -> None:
    [found, *_] = missing(on("eth0"), *nodes)
    assert f'CNI plugin "macvlan" {where}' in found


def test_nothing_is_said_of_nodes_that_did_not_report_plugins() -> None:
    silent = NodeInterfaces("a", Interfaces(frozenset({"eth0"})))
    assert missing(on("eth0")) == []
    assert missing(on("eth0"), silent) == []
    elsewhere = NodeInterfaces("a", Interfaces(frozenset({"eth0"}), plugins=frozenset({"ifacer"})))
    assert missing(on("eth0"), elsewhere) == []
    [found, _] = missing(on("eth0"), silent, node("b", "x"))
    assert "none of the 1 nodes looked at (b)" in found


def test_the_clusters_ipam_counts_for_a_network_that_names_none() -> None:
    parsed = SpiderMultusConfigSpec.model_validate(on("eth0"))
    nodes = [node("a", "macvlan", "coordinator")]
    [found] = missing_plugins(parsed, nodes, {"type": "whereabouts"})
    assert str(found).startswith('spec.ipam: CNI plugin "whereabouts" is on none')


def test_it_is_a_warning_and_no_refusal() -> None:
    thing = {"metadata": {"name": "a", "namespace": "ns"}, "spec": on("eth0")}
    nodes = [node("a", "macvlan")]
    answer = review_network(thing, None, rivals=[], nad=None, nodes=nodes)
    assert answer.refusals == ()
    assert [each.split(":")[0] for each in answer.warnings] == ["spec.enableCoordinator"]
