"""Which IPAM a network gets that names none."""

import json
from typing import Any

import pytest

from spidercoordinator.core.network.desired import desired_nad
from spidercoordinator.core.network.ipam import NO_IPAM, ClusterIPAM, cluster_ipam, lacks_ipam
from spidercoordinator.core.network.lastknown import keep_last_known
from spidercoordinator.core.network.validation import parse

DHCP = {"type": "dhcp"}
SPIDERPOOL = {"type": "spiderpool"}
TYPES: dict[str, dict[str, Any]] = {
    "macvlan": {"macvlan": {"master": ["a"]}},
    "ipvlan": {"ipvlan": {"master": ["a"]}},
    "vlan": {"vlan": {"master": ["a"], "vlanID": 5}},
    "sriov": {"sriov": {"resourceName": "acme.io/vf"}},
    "ib-sriov": {"ibsriov": {"resourceName": "acme.io/vf"}},
    "ipoib": {"ipoib": {"master": "ib0"}},
    "ovs": {"ovs": {"bridge": "br0"}},
}


def parsed(spec: dict[str, Any]) -> Any:
    meta = {"name": "a", "namespace": "b", "uid": "1"}
    return parse({"metadata": meta, "spec": spec})


@pytest.mark.parametrize(
    ("configured", "served", "before", "expected"),
    [
        (DHCP, True, None, DHCP),
        (DHCP, False, None, DHCP),
        (DHCP, None, None, DHCP),
        ({}, True, None, SPIDERPOOL),
        ({}, False, None, {}),
        ({}, False, ClusterIPAM(SPIDERPOOL, spiderpool=True), {}),
        # Unknown is no evidence: what was known last holds, and nothing is taken away.
        ({}, None, None, SPIDERPOOL),
        ({}, None, ClusterIPAM({}, spiderpool=False), {}),
        ({}, None, ClusterIPAM(SPIDERPOOL, spiderpool=True), SPIDERPOOL),
    ],
)
def test_the_setting_comes_first_and_then_spiderpool_where_it_is(
    configured: dict[str, Any],
    served: bool | None,
    before: ClusterIPAM | None,
    expected: dict[str, Any],
) -> None:
    assert cluster_ipam(configured, served, before).default == expected


@pytest.mark.parametrize("cni_type", TYPES)
def test_without_any_ipam_the_configuration_is_its_reason_alone(cni_type: str) -> None:
    spec = {"cniType": cni_type, **TYPES[cni_type]}
    for settings in ({}, {"enableCoordinator": False}, {"coordinator": {"mode": "disabled"}}):
        config = parsed({**spec, **settings})
        nad = desired_nad(config, None, default_ipam={}, coordinator_name="default")
        assert nad.lacks_ipam
        assert json.loads(nad.config)["plugins"] == [
            {"type": "coordinator", "notReadyReason": NO_IPAM}
        ]
        nad = desired_nad(config, None, default_ipam=DHCP, coordinator_name="default")
        assert not nad.lacks_ipam
        assert DHCP in [each.get("ipam") for each in json.loads(nad.config)["plugins"]]


@pytest.mark.parametrize("cni_type", TYPES)
def test_who_says_where_addresses_come_from_lacks_nothing(cni_type: str) -> None:
    [(key, network)] = TYPES[cni_type].items()
    spec = {"cniType": cni_type, key: network}
    assert not lacks_ipam(parsed({**spec, "ipam": DHCP}).spec, {})
    assert not lacks_ipam(parsed({**spec, "disableIPAM": True}).spec, {})
    assert not lacks_ipam(parsed({**spec, key: {**network, "ippools": {"ipv4": ["p"]}}}).spec, {})
    assert lacks_ipam(parsed({**spec, key: {**network, "ippools": {}}}).spec, {})


def test_the_text_of_others_is_theirs() -> None:
    assert not lacks_ipam(parsed({"cniType": "custom", "customCNI": ""}).spec, {})


@pytest.mark.parametrize("default", [{}, DHCP])
def test_a_vlan_from_a_pool_needs_the_ipam_that_has_pools(default: dict[str, Any]) -> None:
    config = parsed({"cniType": "vlan", "vlan": {"master": ["a"], "vlanMode": "auto"}})
    nad = desired_nad(config, None, default_ipam=default, coordinator_name="default")
    assert json.loads(nad.config)["plugins"][0]["ipam"] == SPIDERPOOL


def test_what_was_rendered_last_is_kept_without_a_coordinator() -> None:
    config = parsed({"cniType": "macvlan", **TYPES["macvlan"]})
    nad = desired_nad(config, None, default_ipam={}, coordinator_name="default")
    working = '{"plugins":[{"type":"macvlan","ipam":{"type":"dhcp"}}]}'
    kept = keep_last_known(nad, {"spec": {"config": working}})
    assert (kept.config, kept.lacks_ipam) == (working, False)
    assert keep_last_known(nad, {"spec": {"config": nad.config}}).lacks_ipam
