"""Every field of spec reaches the NAD, and zero differs from unset. Made from the CRD itself."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.crd import SPIDER_MULTUS_CONFIG, structural_schema
from spidercoordinator.api.multus import NETWORK_OF
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.desired import desired_nad
from spidercoordinator.core.network.validation import parse

SPEC = structural_schema(SPIDER_MULTUS_CONFIG.model)["properties"]["spec"]["properties"]

MINIMAL: dict[str, dict[str, Any]] = {
    "macvlan": {"master": ["ens5"]},
    "ipvlan": {"master": ["ens5"]},
    "vlan": {"master": ["ens5"]},
    "sriov": {"resourceName": "acme.io/vf"},
    "ib-sriov": {"resourceName": "acme.io/vf"},
    "ipoib": {"master": "ib0"},
    "ovs": {"bridge": "br0"},
}
# A value for each field that differs from its default; "" stands for several at once.
VALUES: dict[str, Any] = {
    "master": ["ens9"],
    "mtu": 1400,
    "vlanID": 44,
    "bond": {"name": "bnd0", "mode": 4, "options": "miimon=1"},
    "ippools": {"ipv4": ["p4"], "ipv6": ["p6"]},
    "vlanMode": "auto",
    "resourceName": "acme.io/other",
    "minTxRateMbps": 5,
    "mode": "vepa",
    "linkInContainer": True,
    "vlanQoS": 6,
    "spoofchk": "off",
    "trust": "on",
    "maxTxRateMbps": 6,
    "pkey": "0x8001",
    "linkState": "disable",
    "enableIbKubernetes": True,
    "bridge": "br1",
    "vlan": 7,
    "trunk": [{"minID": 1, "maxID": 2}, {"id": 3}],
    "deviceID": "0000:3b:02.1",
}
# Says who asks for the RDMA resource; it is for the pod webhook, and no plugin reads it.
NOT_RENDERED = {"rdmaResourceName"}

COORDINATOR: dict[str, Any] = {
    "mode": "overlay",
    "podCIDR": ["10.1.0.0/16"],
    "serviceCIDR": ["10.2.0.0/16"],
    "hijackCIDR": ["10.3.0.0/16"],
    "policyRoutes": [{"dst": "10.4.0.0/16", "gw": "10.5.0.1"}],
    "podMACPrefix": "0a:1b",
    "tunePodRoutes": False,
    "podDefaultRouteNIC": "net1",
    "hostRuleTable": 321,
    "podRPFilter": 2,
    "hostRPFilter": 1,
    "txQueueLen": 9,
    "vethLinkAddress": "169.254.100.9",
    "vethMTU": 1300,
    "detectGateway": True,
    "detectIPConflict": True,
    "announce": False,
}
# Names the source of CIDRs for the whole cluster; a network cannot have a source of its own.
NO_MEANING_HERE = {"podCIDRType"}

ZEROS: dict[str, Any] = {"integer": 0, "boolean": False}

FULL_CLUSTER = ClusterConfig(
    "default",
    SpiderCoordinatorSpec.model_validate(
        {key: value for key, value in COORDINATOR.items() if key not in {"podCIDR", "serviceCIDR"}}
        | {"mode": "underlay", "tunePodRoutes": True, "announce": True}
    ),
    overlay_pod_cidr=("10.244.0.0/16",),
    service_cidr=("10.96.0.0/12",),
)


def config_of(spec: dict[str, Any], cluster: ClusterConfig = FULL_CLUSTER) -> str:
    thing = {"metadata": {"name": "a", "namespace": "b", "uid": "1"}, "spec": spec}
    wanted = desired_nad(
        parse(thing), cluster, default_ipam={"type": "spiderpool"}, coordinator_name="default"
    )
    return wanted.config + json.dumps(dict(wanted.annotations))


def network_fields() -> Iterator[tuple[str, str]]:
    for cni_type, key in NETWORK_OF.items():
        for name in SPEC[key]["properties"]:
            if name not in NOT_RENDERED:
                yield cni_type, name


def test_no_type_is_forgotten() -> None:
    assert set(MINIMAL) == set(NETWORK_OF) == set(SPEC["cniType"]["enum"]) - {"custom"}


def test_no_coordinator_field_is_forgotten() -> None:
    assert set(COORDINATOR) == set(SPEC["coordinator"]["properties"]) - NO_MEANING_HERE


@pytest.mark.parametrize(("cni_type", "field"), list(network_fields()))
def test_field_of_a_network_reaches_the_nad(cni_type: str, field: str) -> None:
    key, minimal = NETWORK_OF[cni_type], MINIMAL[cni_type]
    if field == "rdmaIsolation":
        value: Any = not SPEC[key]["properties"][field]["default"]
    elif cni_type == "ipoib" and field == "master":
        value = "ib1"
    else:
        value = VALUES[field]
    changed = {**minimal, field: value}
    if field == "bond":
        minimal, changed = (
            {**minimal, "master": ["a", "b"], "bond": {"name": "x", "mode": 1}},
            {**changed, "master": ["a", "b"]},
        )
    if field == "vlanQoS":
        minimal, changed = {**minimal, "vlanID": 5}, {**changed, "vlanID": 5}
    plain = config_of({"cniType": cni_type, key: minimal})
    assert config_of({"cniType": cni_type, key: changed}) != plain


@pytest.mark.parametrize("field", list(COORDINATOR))
def test_field_of_the_coordinator_reaches_the_nad(field: str) -> None:
    spec = {"cniType": "macvlan", "macvlan": MINIMAL["macvlan"]}
    other: dict[str, Any] = {"hostRuleTable": 77, "podRPFilter": 1, "hostRPFilter": 2}
    plain = ClusterConfig("default", SpiderCoordinatorSpec())
    value = other.get(field, COORDINATOR[field])
    assert config_of({**spec, "coordinator": {field: value}}, plain) != config_of(spec, plain)


def coordinator_type(field: str) -> str:
    return str(SPEC["coordinator"]["properties"][field]["type"])


@pytest.mark.parametrize(
    "field",
    [
        name
        for name in COORDINATOR
        if coordinator_type(name) in ZEROS and name not in {"hostRuleTable", "vethMTU"}
    ],
)
def test_zero_of_the_coordinator_differs_from_unset(field: str) -> None:
    spec = {"cniType": "macvlan", "macvlan": MINIMAL["macvlan"]}
    zero = ZEROS[coordinator_type(field)]
    assert config_of({**spec, "coordinator": {field: zero}}) != config_of(spec)


@pytest.mark.parametrize(
    "field", [name for name in COORDINATOR if coordinator_type(name) not in ZEROS]
)
def test_empty_of_the_coordinator_is_unset(field: str) -> None:
    spec = {"cniType": "macvlan", "macvlan": MINIMAL["macvlan"]}
    empty: Any = [] if coordinator_type(field) == "array" else ""
    assert config_of({**spec, "coordinator": {field: empty}}) == config_of(spec)


@pytest.mark.parametrize(
    ("cni_type", "field"),
    [
        (cni_type, name)
        for cni_type, name in network_fields()
        if SPEC[NETWORK_OF[cni_type]]["properties"][name]["type"] == "integer"
        # Zero and unset mean the same there, see render/vlan.py and render/ovs.py.
        and (cni_type, name) not in {("vlan", "vlanID"), ("ovs", "vlan")}
        # 0 is "none": there is no VLAN interface to make, and no tuning to do.
        and (cni_type, name) not in {("macvlan", "vlanID"), ("ipvlan", "vlanID"), ("sriov", "mtu")}
    ],
)
def test_zero_of_a_network_differs_from_unset(cni_type: str, field: str) -> None:
    key, minimal = NETWORK_OF[cni_type], MINIMAL[cni_type]
    zero = config_of({"cniType": cni_type, key: {**minimal, field: 0}})
    assert zero != config_of({"cniType": cni_type, key: minimal})


def test_pools_and_isolation_of_each_kind() -> None:
    pools = {"ipv4": ["p4"], "ipv6": ["p6"]}
    config = config_of({"cniType": "ipoib", "ipoib": {"master": "ib0", "ippools": pools}})
    assert '"default_ipv4_ippool":["p4"],"default_ipv6_ippool":["p6"]' in config
