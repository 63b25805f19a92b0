"""Rules that concern several fields, by table: what is wrong, and where the blame lies."""

from typing import Any

import pytest

from spidercoordinator.core.network.validation import find_problems

MACVLAN = {"cniType": "macvlan", "macvlan": {"master": ["ens5"]}}


def problems(spec: dict[str, Any], annotations: dict[str, str] | None = None) -> list[str]:
    meta = {"name": "a", "namespace": "b", "uid": "1", "annotations": annotations or {}}
    return [problem.field for problem in find_problems({"metadata": meta, "spec": spec})]


def macvlan(**fields: Any) -> dict[str, Any]:
    return {"cniType": "macvlan", "macvlan": {"master": ["ens5"], **fields}}


def ovs(*trunk: dict[str, int]) -> dict[str, Any]:
    return {"cniType": "ovs", "ovs": {"bridge": "br0", "trunk": list(trunk)}}


BOND = {"name": "bnd0", "mode": 1}
POOLS = {"ipv4": ["p4"]}
SRIOV = {"resourceName": "acme.io/vf"}
V6 = {"ipv6": ["p6"]}
IPVLAN = {"cniType": "ipvlan", "ipvlan": {"master": ["ens5"]}}
INFINIBAND = (
    {"cniType": "ib-sriov", "ibsriov": SRIOV},
    {"cniType": "ipoib", "ipoib": {"master": "ib0"}},
)
AUTO = {"cniType": "vlan", "vlan": {"master": ["a"], "vlanMode": "auto"}}


def prefixed(spec: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {**spec, "coordinator": {"podMACPrefix": prefix}}


GOOD: list[dict[str, Any]] = [
    {},
    {"customCNI": ""},
    MACVLAN,
    {**MACVLAN, "customCNI": ""},
    macvlan(master=["a", "b"], bond=BOND),
    macvlan(bond=BOND),
    macvlan(master=["e23456789a"], vlanID=4094),
    macvlan(master=["e2345678901"], vlanID=100),
    macvlan(master=["e23456789012345"]),
    {**MACVLAN, "capabilities": {"ips": True, "mac": True}},
    {**MACVLAN, "ipam": {"type": "whereabouts", "range": "10.0.0.0/8", "x": {"y": [1, None]}}},
    {"cniType": "vlan", "vlan": {"master": ["a"], "vlanMode": "auto"}},
    {"cniType": "sriov", "sriov": {**SRIOV, "minTxRateMbps": 5}},
    {"cniType": "sriov", "sriov": {**SRIOV, "vlanQoS": 0, "trust": "on", "spoofchk": "off"}},
    {"cniType": "sriov", "sriov": {**SRIOV, "vlanQoS": 7, "vlanID": 5}},
    {"cniType": "sriov", "sriov": {**SRIOV, "minTxRateMbps": 5, "maxTxRateMbps": 0}},
    {"cniType": "sriov", "sriov": {**SRIOV, "minTxRateMbps": 5, "maxTxRateMbps": 5}},
    {"cniType": "sriov", "sriov": {**SRIOV, "ippools": {"matchMasterSubnet": True}}},
    {"cniType": "ib-sriov", "ibsriov": {**SRIOV, "ippools": {"matchMasterSubnet": False}}},
    ovs({"id": 1}, {"minID": 2, "maxID": 2}),
    {"cniType": "custom", "customCNI": '{"type":"bridge"}'},
    {**MACVLAN, "chainCNIJsonData": ['{"type":"tuning"}']},
    macvlan(mtu=0, ippools=V6),
    macvlan(mtu=1280, ippools=V6),
    macvlan(mtu=68, ippools=POOLS),
    macvlan(bond={"name": "ens5", "mode": 1}),
    *(prefixed(IPVLAN, prefix) for prefix in ("", "none")),
    prefixed(MACVLAN, "0a:1b"),
    {**AUTO, "ipam": {"type": "spiderpool"}},
    {**MACVLAN, "coordinator": {"mode": "", "podCIDRType": "", "vethLinkAddress": "none"}},
    {**MACVLAN, "unknown": 1, "ipvlan": None, "coordinator": {"podRPFilter": None}},
]
BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({"cniType": "macvlan"}, ["spec.macvlan"]),
    ({"cniType": "ib-sriov"}, ["spec.ibsriov"]),
    ({"macvlan": {"master": ["ens5"]}}, ["spec.macvlan"]),
    ({**MACVLAN, "ipvlan": {"master": ["ens5"]}}, ["spec.ipvlan"]),
    ({**MACVLAN, "customCNI": "{}"}, ["spec.customCNI"]),
    ({"cniType": "bridge"}, ["spec.cniType"]),
    (macvlan(master=[]), ["spec.macvlan.master"]),
    (macvlan(master=["ens5", "/"]), ["spec.macvlan.master[1]"]),
    (macvlan(master=["a", "a"]), ["spec.macvlan.master[1]"]),
    (macvlan(master=["a", "b"]), ["spec.macvlan.bond"]),
    (macvlan(bond={"name": "bnd0"}), ["spec.macvlan.bond.mode"]),
    (macvlan(bond={"name": "bnd0", "mode": 7}), ["spec.macvlan.bond.mode"]),
    (macvlan(master=["e2345678901"], vlanID=1000), ["spec.macvlan.vlanID"]),
    (macvlan(vlanID=4095), ["spec.macvlan.vlanID"]),
    (macvlan(ippools={"matchMasterSubnet": True}), ["spec.macvlan.ippools.matchMasterSubnet"]),
    (macvlan(ippools={"ipv4": ["p", "p"]}), ["spec.macvlan.ippools.ipv4[1]"]),
    ({**MACVLAN, "ipam": {}}, ["spec.ipam.type"]),
    ({"capabilities": {"ips": True}}, ["spec.capabilities"]),
    *(
        ({**spec, "capabilities": {"mac": True}}, ["spec.capabilities.mac"])
        for spec in (IPVLAN, {"cniType": "ipoib", "ipoib": {"master": "ib0"}})
    ),
    (macvlan(mode="l2"), ["spec.macvlan.mode"]),
    ({"cniType": "sriov", "sriov": {**SRIOV, "vlanQoS": 3}}, ["spec.sriov.vlanQoS"]),
    ({"cniType": "sriov", "sriov": {**SRIOV, "vlanQoS": 8}}, ["spec.sriov.vlanQoS"]),
    ({"cniType": "sriov", "sriov": {**SRIOV, "trust": "yes"}}, ["spec.sriov.trust"]),
    ({**MACVLAN, "ipam": {"type": "dhcp"}, "disableIPAM": True}, ["spec.ipam"]),
    ({**macvlan(ippools=POOLS), "ipam": {"type": "dhcp"}}, ["spec.ipam"]),
    ({"ipam": {"type": "dhcp"}}, ["spec.ipam"]),
    (
        {"cniType": "vlan", "vlan": {"master": ["a"], "vlanMode": "auto", "vlanID": 0}},
        ["spec.vlan.vlanID"],
    ),
    ({"cniType": "sriov", "sriov": {}}, ["spec.sriov.resourceName"]),
    ({"cniType": "sriov", "sriov": {"resourceName": ""}}, ["spec.sriov.resourceName"]),
    (
        {"cniType": "sriov", "sriov": {**SRIOV, "minTxRateMbps": 6, "maxTxRateMbps": 5}},
        ["spec.sriov.minTxRateMbps"],
    ),
    ({"cniType": "ipoib", "ipoib": {}}, ["spec.ipoib.master"]),
    ({"cniType": "ovs", "ovs": {"bridge": ""}}, ["spec.ovs.bridge"]),
    (ovs({}), ["spec.ovs.trunk[0]"]),
    (ovs({"id": 1, "minID": 1, "maxID": 2}), ["spec.ovs.trunk[0]"]),
    (ovs({"maxID": 2}), ["spec.ovs.trunk[0]"]),
    (ovs({"minID": 3, "maxID": 2}), ["spec.ovs.trunk[0].minID"]),
    (ovs({"id": 4095}), ["spec.ovs.trunk[0].id"]),
    (
        {**MACVLAN, "coordinator": {"policyRoutes": [{"dst": "10.0.0.0/8", "gw": "fd00::1"}]}},
        ["spec.coordinator.policyRoutes[0].gw"],
    ),
    ({**MACVLAN, "coordinator": {"vethLinkAddress": "x"}}, ["spec.coordinator.vethLinkAddress"]),
    (macvlan(mtu=67), ["spec.macvlan.mtu"]),
    (macvlan(mtu=1279, ippools=V6), ["spec.macvlan.mtu"]),
    ({"cniType": "ipvlan", "ipvlan": {"master": ["a"], "mtu": 1}}, ["spec.ipvlan.mtu"]),
    (
        {"cniType": "vlan", "vlan": {"master": ["a"], "mtu": 68, "ippools": V6}},
        ["spec.vlan.mtu"],
    ),
    ({"cniType": "sriov", "sriov": {**SRIOV, "mtu": 1000, "ippools": V6}}, ["spec.sriov.mtu"]),
    (macvlan(master=["ens5", "lo"], bond=BOND), ["spec.macvlan.master[1]"]),
    ({"cniType": "ipoib", "ipoib": {"master": "lo"}}, ["spec.ipoib.master"]),
    (macvlan(master=["a", "b"], bond={"name": "b", "mode": 1}), ["spec.macvlan.bond.name"]),
    (macvlan(master=["a", "b"], bond={"name": "lo", "mode": 1}), ["spec.macvlan.bond.name"]),
    *(
        (prefixed(spec, "0a:1b"), ["spec.coordinator.podMACPrefix"])
        for spec in (IPVLAN, *INFINIBAND)
    ),
    ({**AUTO, "ipam": {"type": "dhcp"}}, ["spec.vlan.vlanMode"]),
    ({**AUTO, "disableIPAM": True}, ["spec.vlan.vlanMode"]),
    (
        {**MACVLAN, "coordinator": {"policyRoutes": [{"dst": "10.0.0.0/8", "gw": "0.0.0.0"}]}},
        ["spec.coordinator.policyRoutes[0].gw"],
    ),
    (
        {**MACVLAN, "coordinator": {"podDefaultRouteNIC": "veth0"}},
        ["spec.coordinator.podDefaultRouteNIC"],
    ),
    ({"customCNI": "42"}, ["spec.customCNI"]),
    ({"customCNI": "{"}, ["spec.customCNI"]),
    ({"customCNI": '{"plugins":[]}'}, ["spec.customCNI"]),
    ({"customCNI": '{"plugins":[{"type":"a"},{}]}'}, ["spec.customCNI"]),
    (
        {**MACVLAN, "chainCNIJsonData": ['{"type":"a"}', "[]", '{"type":""}']},
        ["spec.chainCNIJsonData[1]", "spec.chainCNIJsonData[2]"],
    ),
    (
        {**MACVLAN, "coordinator": {"podRPFilter": -2, "hostRuleTable": 254}},
        ["spec.coordinator.hostRuleTable", "spec.coordinator.podRPFilter"],
    ),
]


@pytest.mark.parametrize("spec", GOOD, ids=str)
def test_is_taken(spec: dict[str, Any]) -> None:
    assert problems(spec) == []


@pytest.mark.parametrize(("spec", "fields"), BAD, ids=str)
def test_is_refused_and_the_field_is_named(spec: dict[str, Any], fields: list[str]) -> None:
    assert problems(spec) == fields


CR_NAME = "multus.spidernet.io/cr-name"
CNI_VERSION = "multus.spidernet.io/cni-version"
CONFIG_NAME = "cni.spidernet.io/cniconfig-name"
RDMA = "cni.spidernet.io/rdma-resource-inject"
NETWORK = "cni.spidernet.io/network-resource-inject"


@pytest.mark.parametrize(
    ("annotations", "spec", "expected"),
    [
        ({CR_NAME: "shown-as"}, MACVLAN, []),
        ({CR_NAME: ""}, MACVLAN, [f"metadata.annotations[{CR_NAME}]"]),
        ({CR_NAME: "No"}, MACVLAN, [f"metadata.annotations[{CR_NAME}]"]),
        ({CR_NAME: "a" * 254}, MACVLAN, [f"metadata.annotations[{CR_NAME}]"]),
        ({CNI_VERSION: "1.1.0"}, MACVLAN, []),
        ({CNI_VERSION: "2.0.0"}, MACVLAN, [f"metadata.annotations[{CNI_VERSION}]"]),
        ({CONFIG_NAME: ""}, MACVLAN, []),
        ({CONFIG_NAME: "a b"}, MACVLAN, [f"metadata.annotations[{CONFIG_NAME}]"]),
        ({RDMA: "x"}, macvlan(rdmaResourceName="a/b", ippools=POOLS), []),
        ({RDMA: ""}, MACVLAN, ["spec.macvlan"]),
        ({RDMA: "x"}, macvlan(rdmaResourceName="a/b"), ["spec.macvlan.ippools"]),
        ({NETWORK: "x"}, MACVLAN, []),
        ({NETWORK: "x"}, macvlan(rdmaResourceName="a/b"), ["spec.macvlan.ippools"]),
        ({NETWORK: "x y"}, MACVLAN, [f"metadata.annotations[{NETWORK}]"]),
        ({NETWORK: "x"}, ovs(), [f"metadata.annotations[{NETWORK}]"]),
        ({RDMA: "x"}, {}, [f"metadata.annotations[{RDMA}]"]),
    ],
)
def test_annotations(
    annotations: dict[str, str], spec: dict[str, Any], expected: list[str]
) -> None:
    assert problems(spec, annotations) == expected
