"""CNI plugins that a network calls and nodes do not have."""

import json
from typing import Any

import pytest

from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.core.checks.admission import review_network
from spidercoordinator.core.nodes.findings import findings
from spidercoordinator.core.nodes.fleet import Fleet
from spidercoordinator.core.nodes.needs import needs_of
from spidercoordinator.core.nodes.report import NodeReport

BOND = {"name": "bond0", "mode": 1}


Told = tuple[str, NodeReport]


def node(name: str, *plugins: str, **also: Any) -> Told:
    there = frozenset({"loopback", "multus", *plugins})
    return name, NodeReport(frozenset({"eth0", "eth1"}), plugins=there, **also)


def missing(spec: dict[str, Any], *nodes: Told, version: str = "") -> list[str]:
    parsed = SpiderMultusConfigSpec.model_validate(spec)
    needs = needs_of(parsed, cni_version=version)
    return [str(each.warning) for each in findings(needs, Fleet(dict(nodes)))]


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
        ([node("a", "x")], "the only node that reports (a), so pods fail: install it"),
        (
            [node("b", "x"), node("a", "x"), node("c", "x")],
            "any of the 3 nodes that report (a, b and 1 more), so pods fail: install it",
        ),
        ([node("b", "macvlan"), node("a", "x")], "1 of 2 nodes (a), so pods fail there: install"),
    ],
)
def test_the_message_counts_nodes(nodes: list[Told], where: str) -> None:
    found = missing(on("eth0"), *nodes)
    assert any(f'CNI plugin "macvlan" is not on {where}' in each for each in found)


def test_nothing_is_said_of_nodes_that_did_not_report_plugins() -> None:
    silent = ("a", NodeReport(frozenset({"eth0"})))
    assert missing(on("eth0")) == []
    assert missing(on("eth0"), silent) == []
    elsewhere = ("a", NodeReport(frozenset({"eth0"}), plugins=frozenset({"ifacer"})))
    assert missing(on("eth0"), elsewhere) == []
    found = missing(on("eth0"), silent, node("b", "x"))
    assert all("the only node that reports (b)" in each for each in found)
    assert all(each.endswith("of 1 it is not known (a)") for each in found)


@pytest.mark.parametrize(
    ("plugins", "missed"),
    [
        (("multus",), False),
        (("multus-shim",), False),
        (("multus-standin",), False),
        (("bridge",), True),
        (("my-multus",), True),
    ],
)
def test_multus_is_a_program_among_the_plugins(plugins: tuple[str, ...], *, missed: bool) -> None:
    there = frozenset({"loopback", "macvlan", "coordinator", *plugins})
    found = missing(on("eth0"), ("a", NodeReport(frozenset({"eth0"}), plugins=there)))
    assert [each.split(" is")[0] for each in found] == (["spec: Multus"] if missed else [])


OLD, NEW = ("0.3.0", "0.4.0"), ("0.4.0", "1.1.0")


@pytest.mark.parametrize(
    ("speaks", "version", "unspoken"),
    [
        ({"macvlan": NEW, "coordinator": NEW}, "1.1.0", []),
        ({"macvlan": OLD, "coordinator": NEW}, "1.1.0", ["macvlan"]),
        ({"macvlan": OLD, "coordinator": OLD}, "1.1.0", ["macvlan", "coordinator"]),
        ({"macvlan": NEW}, "0.3.0", ["macvlan"]),
        ({}, "1.1.0", []),
        ({"macvlan": OLD}, "", []),
    ],
)
def test_a_version_that_a_nodes_plugin_does_not_speak(
    speaks: dict[str, tuple[str, ...]], version: str, unspoken: list[str]
) -> None:
    found = missing(
        on("eth0"), node("a", "macvlan", "coordinator", versions=speaks), version=version
    )
    assert [each.split('"')[1] for each in found] == unspoken
    for each in found:
        assert each.startswith("metadata.annotations[multus.spidernet.io/cni-version]: ")
        assert f"(a; found {', '.join(speaks[each.split(chr(34))[1]])})" in each


def test_the_version_inside_a_custom_configuration() -> None:
    spec = {"cniType": "custom", "customCNI": '{"cniVersion":"1.1.0","type":"bridge"}'}
    found = missing(spec, node("a", "bridge", versions={"bridge": OLD}), version="0.3.1")
    assert [each.split(" is")[0] for each in found] == [
        'spec.customCNI: CNI version 1.1.0 of plugin "bridge"'
    ]


def test_the_clusters_ipam_counts_for_a_network_that_names_none() -> None:
    parsed = SpiderMultusConfigSpec.model_validate(on("eth0"))
    fleet = Fleet(dict([node("a", "macvlan", "coordinator")]))
    [found] = findings(needs_of(parsed, {"type": "whereabouts"}), fleet)
    assert str(found.warning).startswith('spec.ipam: CNI plugin "whereabouts" is not on')


def test_it_is_a_warning_and_no_refusal() -> None:
    thing = {"metadata": {"name": "a", "namespace": "ns"}, "spec": on("eth0")}
    nodes = Fleet(dict([node("a", "macvlan")]), age=40)
    answer = review_network(thing, None, rivals=[], nad=None, nodes=nodes)
    assert answer.refusals == ()
    assert [each.split(":")[0] for each in answer.warnings] == ["spec.enableCoordinator"]
    assert answer.warnings[0].endswith(" (as reported up to 40 s ago)")
