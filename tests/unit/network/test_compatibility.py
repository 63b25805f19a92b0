"""Networks that render and may not run, by table: each rule warns of its kind and nothing near."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.multus import NO_OWN_MAC
from spidercoordinator.api.nad import CNI_VERSIONS, DEFAULT_CNI_VERSION
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.compatibility import (
    COMPATIBILITY_RULES,
    network_warnings,
    subject_of,
)
from spidercoordinator.core.network.compatibility.links import BOND_OPTIONS
from spidercoordinator.core.network.conditions import network_conditions
from spidercoordinator.core.network.desired import depends_on_cluster, desired_nad
from spidercoordinator.core.network.ipam import ClusterIPAM
from spidercoordinator.core.network.validation import parse
from spidercoordinator.core.status.warnings import FieldWarning, degraded_condition
from spidercoordinator.errors import InvalidObjectError

Spec = dict[str, Any]

MINIMAL: dict[str, Spec] = {
    "macvlan": {"macvlan": {"master": ["ens5"]}},
    "ipvlan": {"ipvlan": {"master": ["ens5"]}},
    "vlan": {"vlan": {"master": ["ens5"], "vlanID": 7}},
    "sriov": {"sriov": {"resourceName": "acme.io/vf"}},
    "ib-sriov": {"ibsriov": {"resourceName": "acme.io/ib"}},
    "ipoib": {"ipoib": {"master": "ib0"}},
    "ovs": {"ovs": {"bridge": "br0"}},
}
BOND = {"name": "bond0", "mode": 1}
V4, V6 = {"ipv4": ["p4"]}, {"ipv6": ["p6"]}
DUAL = {**V4, **V6}


def of(cni_type: str, fields: Spec | None = None, **rest: Any) -> Spec:
    [(key, network)] = MINIMAL[cni_type].items()
    return {"cniType": cni_type, key: {**network, **(fields or {})}, **rest}


def custom(*plugins: Spec, **keys: Any) -> Spec:
    config = {"cniVersion": "0.4.0", **keys, "plugins": list(plugins)}
    return {"cniType": "custom", "customCNI": json.dumps(config)}


MACVLAN: Spec = {"type": "macvlan", "ipam": {"type": "dhcp"}}
COORDINATOR: Spec = {"type": "coordinator"}
HOST_LOCAL: Spec = {"type": "host-local", "ranges": [[{"subnet": "10.6.0.0/16"}]]}
STATIC: Spec = {"type": "static", "addresses": [{"address": "10.6.0.9/16"}]}
WHEREABOUTS: Spec = {"type": "whereabouts", "range": "10.6.0.5-10.6.0.9/16"}


def routed(gateway: str, ipam: Spec | None = None, **settings: Any) -> Spec:
    route = {"dst": "10.9.0.0/16", "gw": gateway}
    spec = of("macvlan", coordinator={"policyRoutes": [route], **settings})
    return {**spec, **({"ipam": ipam} if ipam else {})}


BROKEN_HOST_LOCAL: list[Spec] = [
    {"subnet": "10.6.0.5/16"},
    {"subnet": "10.6.0.0/31"},
    {"subnet": "10.6.0.0/16", "rangeStart": "10.7.0.1"},
    {"subnet": "10.6.0.0/16", "rangeEnd": "ten"},
    {"subnet": "10.6.0.0/16", "rangeStart": "10.6.0.9", "rangeEnd": "10.6.0.8"},
    {"subnet": "10.6.0.0/16", "gateway": "router"},
    {"ranges": [{"subnet": "10.6.0.0/16"}]},
    {"ranges": [[]]},
    {"ranges": [["10.6.0.0/16"]]},
    {"ranges": [[{"subnet": "10.6.0.0/16"}], [{"subnet": "10.6.7.0/24"}]]},
    {"subnet": "10.6.0.0/16", "routes": ["0.0.0.0/0"]},
    {"subnet": "10.6.0.0/16", "routes": [{"dst": "default"}]},
    {"subnet": "10.6.0.0/16", "routes": [{"dst": "10.7.0.1"}]},
    {"subnet": "10.6.0.0/16", "routes": [{"dst": "10.7.0.0/16", "gw": "fd00::1"}]},
]
BROKEN_WHEREABOUTS: list[Spec] = [
    {"range": "10.6.0.0"},
    {"range": "10.6.0.0/33"},
    {"range": "10.7.0.5-10.6.0.9/16"},
    {"range": "10.6.0.5-10.6.0.9"},
    {"range": "10.6.0.0/16", "range_start": "10.7.0.1"},
    {"range": "10.6.0.0/16", "range_end": "ten"},
    {"range": "10.6.0.0/16", "exclude": ["ten"]},
    {"range": "10.6.0.0/16", "gateway": "router"},
    {"ipRanges": ["10.6.0.0/16"]},
]

# Reason → networks that it is about, and networks near them that are fine.
CASES: dict[str, tuple[list[Spec], list[Spec]]] = {
    "NoAddresses": (
        [
            of("macvlan", disableIPAM=True),
            of("sriov", disableIPAM=True),
            of("macvlan", disableIPAM=True, chainCNIJsonData=['{"type":"tuning"}']),
        ],
        [
            of("macvlan", disableIPAM=True, enableCoordinator=False),
            of("macvlan", disableIPAM=True, coordinator={"mode": "disabled"}),
            {"cniType": "custom", "disableIPAM": True},
        ],
    ),
    "IPAMIncomplete": (
        [
            of("macvlan", ipam={"type": "host-local"}),
            of("macvlan", ipam={"type": "host-local", "ranges": []}),
            of("macvlan", ipam={"type": "host-local", "subnet": "10.6.0.0/33"}),
            of("macvlan", ipam={"type": "static"}),
            of("macvlan", ipam={"type": "static"}, capabilities={"mac": True}),
            of("macvlan", ipam={"type": "static", "addresses": [{"address": 5}]}),
            of("macvlan", ipam={"type": "whereabouts"}),
            of("macvlan", ipam={"type": "whereabouts", "ipRanges": [{"range": "ten"}]}),
            *(of("macvlan", ipam={"type": "host-local", **each}) for each in BROKEN_HOST_LOCAL),
            *(of("macvlan", ipam={"type": "whereabouts", **each}) for each in BROKEN_WHEREABOUTS),
            of("macvlan", ipam={"type": "static", "addresses": [{"address": "10.6.0.9"}]}),
            of("macvlan", ipam={"type": "static", "addresses": ["10.6.0.9/16"]}),
        ],
        [
            *(of("macvlan", ipam=each) for each in (HOST_LOCAL, STATIC, WHEREABOUTS)),
            of("macvlan", ipam={"type": "host-local", "subnet": "10.6.0.0/16"}),
            of("macvlan", ipam={"type": "whereabouts", "ipRanges": [{"range": "fd00::/64"}]}),
            of("macvlan", ipam={"type": "static"}, capabilities={"ips": True}),
            of("macvlan", ipam={"type": "whereabouts", "range": "10.6.0.9/16"}),
            of("macvlan", ipam={**WHEREABOUTS, "exclude": ["10.6.0.6/32", "10.6.0.7"]}),
            of(
                "macvlan",
                ipam={
                    "type": "whereabouts",
                    "range": "10.6.0.0/16",
                    "range_start": "10.6.8.1",
                    "range_end": "10.6.15.254",
                },
            ),
            of(
                "macvlan",
                ipam={
                    "type": "host-local",
                    "ranges": [
                        [{"subnet": "10.6.0.0/16", "rangeStart": "10.6.8.1"}],
                        [{"subnet": "fd00:0::/64"}],
                    ],
                },
            ),
            of("macvlan", ipam={"type": "dhcp"}),
            of("macvlan", ipam={"type": "some-other"}),
        ],
    ),
    "RouteWithoutGateway": (
        [
            of("macvlan", ipam={**WHEREABOUTS, "routes": [{"dst": "0.0.0.0/0"}]}),
            of("macvlan", ipam={**STATIC, "routes": [{"dst": "10.9.0.0/16"}]}),
            of("macvlan", ipam={**HOST_LOCAL, "routes": [{"dst": "::/0"}]}),
        ],
        [
            of("macvlan", ipam={**HOST_LOCAL, "routes": [{"dst": "0.0.0.0/0"}]}),
            of("macvlan", ipam={**STATIC, "routes": [{"dst": "10.9.0.0/16", "gw": "10.6.0.1"}]}),
            of(
                "macvlan",
                ipam={**WHEREABOUTS, "gateway": "10.6.0.1", "routes": [{"dst": "0.0.0.0/0"}]},
            ),
        ],
    ),
    "GatewayElsewhere": (
        [
            of("macvlan", ipam={"type": "whereabouts", "range": "10.6.8.0/21", "gateway": gateway})
            for gateway in ("10.6.0.1", "10.7.0.1")
        ]
        + [of("macvlan", ipam={**HOST_LOCAL, "routes": [{"dst": "0.0.0.0/0", "gw": "10.7.0.1"}]})],
        [
            of("macvlan", ipam={"type": "whereabouts", "range": "10.6.8.0/21", "gateway": gateway})
            for gateway in ("10.6.8.1", "10.6.15.254")
        ],
    ),
    "IPAMKeyUnknown": (
        [
            of("macvlan", ipam={**WHEREABOUTS, "rangeStart": "10.6.0.9"}),
            of("macvlan", ipam={**HOST_LOCAL, "range_start": "10.6.0.9"}),
            of("macvlan", ipam={**STATIC, "gateways": []}),
        ],
        [
            of("macvlan", ipam={**WHEREABOUTS, "Exclude": ["10.6.0.1/32"]}),
            of("macvlan", ipam={"type": "some-other", "any": "thing"}),
        ],
    ),
    "SubnetOverlap": (
        [
            of("macvlan", ipam={"type": "host-local", "subnet": each})
            for each in ("10.96.5.0/24", "10.0.0.0/8", "10.244.0.0/16")
        ]
        + [
            of("macvlan", ipam=WHEREABOUTS, coordinator={"hijackCIDR": [each]})
            for each in ("10.6.0.0/16", "10.6.7.0/24", "10.6.7.8")
        ],
        [
            of("macvlan", ipam=WHEREABOUTS, coordinator={"hijackCIDR": [each]})
            for each in ("10.0.0.0/8", "10.7.0.0/16", "fd00::/64")
        ]
        + [
            of("macvlan", ipam={"type": "whereabouts", "range": "fd00::/64"}),
            of("macvlan", ipam={"type": "whereabouts", "range": "10.96.5.0/24"})
            | {"enableCoordinator": False},
        ],
    ),
    "PoolOfBothFamilies": (
        [of("macvlan", {"ippools": {"ipv4": ["a", "b"], "ipv6": ["b"]}})],
        [
            of("macvlan", {"ippools": {"ipv4": ["a"], "ipv6": ["b"]}}),
            of("macvlan", {"ippools": {"ipv4": ["pool-*"], "ipv6": ["pool-*"]}}),
        ],
    ),
    "DHCPOnIpvlan": ([of("ipvlan", ipam={"type": "dhcp"})], [of("ipvlan", ipam=HOST_LOCAL)]),
    "VethMTUBelowIPv6": (
        [of("macvlan", coordinator={"vethMTU": 1000})],
        [of("macvlan", coordinator={"vethMTU": 1280})],
    ),
    "GatewayUnreachable": (
        [routed("10.7.0.1", each) for each in (HOST_LOCAL, STATIC, WHEREABOUTS)],
        [
            *(routed("10.6.0.1", each) for each in (HOST_LOCAL, STATIC, WHEREABOUTS)),
            routed("10.7.0.1"),
            routed("10.7.0.1", {"type": "dhcp"}),
            routed("10.7.0.1", HOST_LOCAL, mode="disabled"),
        ],
    ),
    "ProbesOnInfiniBand": (
        [
            of(each, coordinator={field: True})
            for each in ("ib-sriov", "ipoib")
            for field in ("detectGateway", "detectIPConflict")
        ],
        [
            of("ipoib", coordinator={"detectGateway": False}),
            of("macvlan", coordinator={"detectGateway": True}),
            of("ipoib", coordinator={"detectGateway": True}, enableCoordinator=False),
        ],
    ),
    "VLANUntagged": (
        [of("vlan", {"vlanID": 0}), {"cniType": "vlan", "vlan": {"master": ["ens5"]}}],
        [of("vlan"), {"cniType": "vlan", "vlan": {"master": ["ens5"], "vlanMode": "auto"}}],
    ),
    "DoubleTagged": (
        [of(each, {"master": ["ens5.100"], "vlanID": 7}) for each in ("macvlan", "ipvlan", "vlan")],
        [
            of("macvlan", {"master": ["ens5.100"]}),
            of("macvlan", {"master": ["ens5.100"], "vlanID": 0}),
            of("macvlan", {"master": ["ens5.a"], "vlanID": 7}),
        ],
    ),
    "BondOfOneMaster": (
        [of(each, {"bond": BOND}) for each in ("macvlan", "ipvlan", "vlan")],
        [of(each, {"master": ["a", "b"], "bond": BOND}) for each in ("macvlan", "vlan")],
    ),
    "BondOptionInvalid": (
        [
            of("macvlan", {"master": ["a", "b"], "bond": {**BOND, "options": each}})
            for each in ("miimon=1,min_links=1", "miimon", "miimon=1;fast", "miimon=", "mimon=1")
        ],
        [
            of("macvlan", {"master": ["a", "b"], "bond": {**BOND, "options": each}})
            for each in ("", "miimon=100", " miimon = 100 ; min_links=1;", "up_delay=200")
        ],
    ),
    "MTUBelowIPv6": (
        [of(each, {"mtu": 1279}) for each in ("macvlan", "ipvlan", "vlan", "sriov")],
        [
            of("macvlan", {"mtu": 0}),
            of("macvlan", {"mtu": 1280}),
            of("macvlan", {"mtu": 1000, "ippools": V4}),
            of("macvlan", {"mtu": 1000}, ipam=HOST_LOCAL),
        ],
    ),
    "LinkDisabled": (
        [of("ib-sriov", {"linkState": "disable"})],
        [of("ib-sriov", {"linkState": "auto"}), of("ib-sriov")],
    ),
    "FixedMAC": (
        [
            of(each, chainCNIJsonData=['{"type":"tuning","mac":"0a:00:00:00:00:01"}'])
            for each in ("macvlan", "ipvlan")
        ],
        [of("macvlan", chainCNIJsonData=['{"type":"tuning","mtu":1400}'])],
    ),
    "CNIVersionUnknown": (
        [custom(MACVLAN, cniVersion="2.0.0"), custom(MACVLAN, cniVersion=1.0)],
        [custom(MACVLAN, cniVersion=each) for each in ("0.1.0", "0.3.1", "1.1.0", "", None)],
    ),
    "CNIVersionUnspoken": (
        [of(each, chainCNIJsonData=['{"type":"firewall"}']) for each in ("macvlan", "sriov")],
        [of("macvlan", chainCNIJsonData=['{"type":"portmap"}', '{"type":"vrf"}'])],
    ),
    "CustomVersionUnspoken": (
        [
            custom(MACVLAN, {"type": "firewall"}, cniVersion="0.3.1"),
            custom({"type": "macvlan", "ipam": {"type": "spiderpool"}}, cniVersion="1.1.0"),
            {"cniType": "custom", "customCNI": '{"cniVersion":"0.3.0","type":"vrf"}'},
        ],
        [
            custom(MACVLAN, {"type": "firewall"}),
            custom({"type": "macvlan", "ipam": {"type": "spiderpool"}}, cniVersion="1.0.0"),
            custom(MACVLAN, cniVersion="1.1.0"),
        ],
    ),
    "CoordinatorTwice": (
        [of("macvlan", chainCNIJsonData=['{"type":"tuning"}', '{"type":"coordinator"}'])],
        [of("macvlan", chainCNIJsonData=['{"type":"coordinator"}'], enableCoordinator=False)],
    ),
    "CustomCoordinator": (
        [
            custom(MACVLAN, COORDINATOR, COORDINATOR),
            custom(MACVLAN, COORDINATOR, cniVersion="0.2.0"),
            custom(MACVLAN, COORDINATOR, cniVersion=""),
            custom({"type": "macvlan"}, COORDINATOR),
            custom(MACVLAN, {**COORDINATOR, "vethLinkAddress": "none"}),
            custom(MACVLAN, {**COORDINATOR, "vethlinkaddress": "0.0.0.0"}),
            custom(MACVLAN, {**COORDINATOR, "mode": "sideways"}),
            custom(MACVLAN, {**COORDINATOR, "vethMTU": "1500"}),
        ],
        [
            custom(MACVLAN, COORDINATOR),
            custom({"type": "macvlan"}),
            custom({"type": "bridge"}, COORDINATOR),
            custom(MACVLAN, {**COORDINATOR, "overlayPodCIDR": [], "vethLinkAddress": ""}),
            {"cniType": "custom", "customCNI": '{"type":"macvlan"}'},
        ],
    ),
    "SameAddress": (
        [of("macvlan", ipam=HOST_LOCAL), of("macvlan", ipam=STATIC)],
        [of("macvlan", ipam=WHEREABOUTS), of("macvlan", ipam={"type": "dhcp"})],
    ),
    "TrunkOverlap": (
        [
            of("ovs", {"trunk": [{"id": 5}, {"minID": 1, "maxID": 9}]}),
            of("ovs", {"trunk": [{"id": 5}, {"id": 5}]}),
        ],
        [of("ovs", {"trunk": [{"id": 10}, {"minID": 1, "maxID": 9}]})],
    ),
    "PoolsUnused": (
        [
            of("macvlan", {"ippools": V4}, disableIPAM=True, enableCoordinator=False),
            of(
                "sriov",
                {"ippools": {"matchMasterSubnet": True}},
                disableIPAM=True,
                enableCoordinator=False,
            ),
        ],
        [
            of("macvlan", {"ippools": {}}, disableIPAM=True, enableCoordinator=False),
            of("macvlan", {"ippools": V4}),
        ],
    ),
    "UnusedWithCustom": (
        [
            {"cniType": "custom", "coordinator": {"mode": "underlay"}},
            {"cniType": "custom", "chainCNIJsonData": ['{"type":"macvlan"}']},
        ],
        [{"cniType": "custom", "chainCNIJsonData": []}],
    ),
    "PodCIDRTypeUnused": (
        [of("macvlan", coordinator={"podCIDRType": "calico"})],
        [of("macvlan", coordinator={"podCIDRType": ""})],
    ),
    "LinkAddressUnused": (
        [
            of("macvlan", coordinator={"vethLinkAddress": "169.254.9.1", "mode": "overlay"}),
            of("macvlan", coordinator={"vethLinkAddress": "169.254.9.1"}, enableCoordinator=False),
        ],
        [
            of("macvlan", coordinator={"vethLinkAddress": "169.254.9.1"}),
            of("macvlan", coordinator={"vethLinkAddress": "none", "mode": "overlay"}),
        ],
    ),
}
REASONS = {rule.reason for rule in COMPATIBILITY_RULES} | {"VethMTUBelowIPv6"}
# What is told of some IPAM plugins in any network, so also in cases of other rules.
EVERYWHERE = {"SameAddress"}
# Those that take two objects have a test of their own.
INHERITED = {"MACPrefixLeftOut", "SpiderpoolMissing"}
SHOWN = 256
"""Characters of a warning that an API server shows in any case."""
NOTICES = {rule.reason for rule in COMPATIBILITY_RULES if rule.severity == "notice"}


def cluster(**spec: Any) -> ClusterConfig:
    given = SpiderCoordinatorSpec.model_validate(spec)
    return ClusterConfig("main", given, ("10.244.0.0/16",), ("10.96.0.0/12",))


def parsed(spec: Spec) -> Any:
    meta = {"name": "a", "namespace": "b", "uid": "1"}
    return parse({"metadata": meta, "spec": spec})


def warnings(
    spec: Spec, around: ClusterConfig | None = None, version: str = DEFAULT_CNI_VERSION
) -> list[FieldWarning]:
    subject = subject_of(parsed(spec).spec, around or cluster(), cni_version=version)
    return network_warnings(subject, notices=True)


@pytest.mark.parametrize("version", CNI_VERSIONS)
def test_versions_that_a_list_may_have(version: str) -> None:
    def unspoken(spec: Spec) -> list[str]:
        found = warnings(spec, version=version)
        return [each.message for each in found if each.reason == "CNIVersionUnspoken"]

    pools = of("macvlan", {"ippools": {"ipv4": ["p4"]}})
    assert bool(unspoken(pools)) == (version == "1.1.0")
    walled = of("macvlan", chainCNIJsonData=['{"type":"firewall"}'])
    assert bool(unspoken(walled)) == (version < "0.4.0")
    for message in unspoken(pools | {"chainCNIJsonData": ['{"type":"firewall"}']}):
        assert message.startswith(f"{version} is not spoken by ")
        assert message.endswith("set the annotation to a version of these: 0.4.0, 1.0.0")
    assert not unspoken(of("macvlan", {"vlanID": 7}, chainCNIJsonData=['{"type":"portmap"}']))


def test_no_rule_is_without_a_case() -> None:
    assert {rule.reason for rule in COMPATIBILITY_RULES} == set(CASES) | INHERITED


@pytest.mark.parametrize(
    ("reason", "spec"), [(reason, each) for reason, (bad, _) in CASES.items() for each in bad]
)
def test_is_warned_of(reason: str, spec: Spec) -> None:
    [found] = [each for each in warnings(spec) if each.reason in {reason} | (REASONS - EVERYWHERE)]
    assert found.reason == reason
    assert found.field.startswith(("spec", "metadata.annotations["))
    assert len(str(found)) <= SHOWN
    degraded = [
        each.reason
        for each in network_conditions(
            parsed(spec).spec, cluster(), cni_version=DEFAULT_CNI_VERSION
        )
    ]
    assert (reason in degraded) == (reason not in NOTICES)


@pytest.mark.parametrize(
    ("reason", "spec"), [(reason, each) for reason, (_, good) in CASES.items() for each in good]
)
def test_is_not_warned_of(reason: str, spec: Spec) -> None:
    assert {each.reason for each in warnings(spec)} <= EVERYWHERE - {reason}


@pytest.mark.parametrize("cni_type", MINIMAL)
def test_a_plain_network_is_not_warned_of(cni_type: str) -> None:
    [(key, _)] = MINIMAL[cni_type].items()
    assert warnings(of(cni_type)) == []
    assert warnings(of(cni_type, {"ippools": DUAL})) == []
    assert key


def test_spiderpool_is_missed_where_it_is_wanted_and_not_served() -> None:
    pools, own = of("macvlan", {"ippools": V4}), of("macvlan", ipam={"type": "spiderpool"})
    plain, auto = of("macvlan"), {"cniType": "vlan", "vlan": {"master": ["a"], "vlanMode": "auto"}}
    dhcp, wanted = {"type": "dhcp"}, {"type": "spiderpool"}
    none = of("macvlan", disableIPAM=True, enableCoordinator=False)

    def missed(spec: Spec, ipam: ClusterIPAM) -> bool:
        found = network_warnings(subject_of(parsed(spec).spec, cluster(), ipam))
        assert all(len(str(each)) <= SHOWN for each in found)
        return "SpiderpoolMissing" in {each.reason for each in found}

    for spec in (pools, own, auto):
        assert missed(spec, ClusterIPAM(dhcp, spiderpool=False))
        assert not missed(spec, ClusterIPAM(dhcp, spiderpool=True))
        assert not missed(spec, ClusterIPAM(dhcp, spiderpool=None))
    assert missed(plain, ClusterIPAM(wanted, spiderpool=False))
    assert not missed(plain, ClusterIPAM(dhcp, spiderpool=False))
    assert not missed(none, ClusterIPAM(wanted, spiderpool=False))
    assert not missed(custom(MACVLAN), ClusterIPAM(wanted, spiderpool=False))


def test_the_default_ipam_is_looked_at_in_networks_that_get_it() -> None:
    ipam = ClusterIPAM({"type": "whereabouts"})
    for spec, told in ((of("macvlan"), True), (of("macvlan", ipam=WHEREABOUTS), False)):
        found = network_warnings(subject_of(parsed(spec).spec, cluster(), ipam))
        texts = [str(each) for each in found if each.reason == "IPAMIncomplete"]
        assert bool(texts) == told
        assert all("of the chart's defaultIPAM: whereabouts fails" in each for each in texts)


def section(spec: Spec, around: ClusterConfig) -> Any:
    nad = desired_nad(parsed(spec), around, default_ipam={"type": "dhcp"}, coordinator_name="main")
    plugins = json.loads(nad.config)["plugins"]
    return next((each for each in plugins if each["type"] == "coordinator"), None)


@pytest.mark.parametrize("cni_type", MINIMAL)
def test_inherited_mac_prefix_is_left_out_where_it_cannot_work(cni_type: str) -> None:
    around = cluster(podMACPrefix="0a:1b")
    found, rendered = warnings(of(cni_type), around), section(of(cni_type), around)
    if cni_type not in NO_OWN_MAC:
        assert found == []
        assert rendered["podMACPrefix"] == "0a:1b"
        return
    [warning] = found
    assert len(str(warning)) <= SHOWN
    assert str(warning).startswith(
        "spec.coordinator.podMACPrefix: 0a:1b of SpiderCoordinator main is left out"
    )
    assert "podMACPrefix" not in rendered
    assert warnings(of(cni_type, coordinator={"podMACPrefix": "none"}), around) == []
    assert warnings(of(cni_type, enableCoordinator=False), around) == []


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (of("macvlan", {"ippools": V6}), True),
        (of("macvlan", {"ippools": DUAL}), True),
        (of("macvlan", {"ippools": V4}), False),
        (of("macvlan"), False),
        (of("macvlan", {"ippools": V6}, coordinator={"vethMTU": 1400}), False),
        (of("macvlan", {"ippools": V6}, enableCoordinator=False), False),
    ],
)
def test_inherited_mtu_is_warned_of_where_pods_have_ipv6(spec: Spec, *, told: bool) -> None:
    reasons = [each.reason for each in warnings(spec, cluster(vethMTU=1000))]
    assert reasons == (["VethMTUBelowIPv6"] if told else [])


def test_inherited_probes_are_warned_of_on_infiniband() -> None:
    [found] = warnings(of("ipoib"), cluster(detectGateway=True))
    assert found.reason == "ProbesOnInfiniBand"


def test_without_addresses_the_coordinator_is_left_out() -> None:
    """It fails at an interface without an address, so pods would not start."""
    bare = of("macvlan", disableIPAM=True)
    assert section(bare, cluster()) is None
    assert not depends_on_cluster(parsed(bare))
    assert not depends_on_cluster({"metadata": {}, "spec": bare})
    chained = {**bare, "chainCNIJsonData": ['{"type":"my-addresses"}']}
    assert section(chained, cluster()) is not None
    assert depends_on_cluster(parsed(chained))
    assert depends_on_cluster({"metadata": {}, "spec": chained})


@pytest.mark.parametrize(
    ("spec", "around", "status", "reason"),
    [
        (of("macvlan"), cluster(), False, "Unset"),
        (of("macvlan"), cluster(vethLinkAddress="169.254.100.1"), True, "Set"),
        (
            of("macvlan", coordinator={"vethLinkAddress": ""}),
            cluster(vethLinkAddress="169.254.100.1"),
            True,
            "Set",
        ),
        (
            of("macvlan", coordinator={"vethLinkAddress": "none"}),
            cluster(vethLinkAddress="169.254.100.1"),
            False,
            "SwitchedOff",
        ),
        (
            of("macvlan", {"ippools": V6}),
            cluster(vethLinkAddress="169.254.100.1"),
            False,
            "FamilyMismatch",
        ),
        (of("macvlan"), cluster(vethLinkAddress="169.254.100.1", mode="overlay"), False, "Overlay"),
    ],
)
def test_the_network_says_whether_its_pods_get_the_link_address(
    spec: Spec, around: ClusterConfig, *, status: bool, reason: str
) -> None:
    state, *others = network_conditions(parsed(spec).spec, around)
    assert (state.type, state.status, state.reason) == ("VethLinkAddress", status, reason)
    assert others == []


def test_a_network_without_coordinator_says_nothing_of_the_link_address() -> None:
    for spec in (of("macvlan", enableCoordinator=False), {"cniType": "custom"}):
        assert network_conditions(parsed(spec).spec, cluster()) == []


def test_own_address_is_warned_of_here_and_an_inherited_one_is_not() -> None:
    own = of("macvlan", coordinator={"vethLinkAddress": "10.96.0.10"})
    [found] = warnings(own)
    assert (found.reason, found.field) == ("AddressInUse", "spec.coordinator.vethLinkAddress")
    assert warnings(of("macvlan"), cluster(vethLinkAddress="8.8.8.8")) == []


def test_the_message_of_the_condition_is_bounded() -> None:
    many = [FieldWarning(f"R{i}", "spec.x", "y" * 300) for i in range(100)]
    [state] = degraded_condition(many)
    assert len(state.message) < 4200
    assert state.reason == "R0"
    assert state.message.endswith("And 87 more")
    assert degraded_condition([]) == []


# What no pod can start with, inside texts that no schema looks into.
REFUSED: list[tuple[Spec, str]] = [
    (of("macvlan", chainCNIJsonData=['{"type":"bridge"}']), '"bridge" makes the pod\'s interface'),
    (of("sriov", chainCNIJsonData=['{"type":"macvlan"}']), '"macvlan" makes the pod\'s interface'),
    (of("macvlan", chainCNIJsonData=['{"type":"host-local"}']), '"host-local" is an IPAM plugin'),
    (custom(COORDINATOR), "its first plugin is coordinator"),
    (custom(COORDINATOR, MACVLAN), "its first plugin is coordinator"),
    ({"cniType": "custom", "customCNI": '{"type":"coordinator"}'}, "its first plugin"),
    (custom(MACVLAN, MACVLAN), "plugins[1]"),
    (custom(MACVLAN, {"type": "whereabouts"}), "plugins[1]"),
]


@pytest.mark.parametrize(("spec", "text"), REFUSED)
def test_texts_that_never_work_are_refused(spec: Spec, text: str) -> None:
    with pytest.raises(InvalidObjectError) as refusal:
        parsed(spec)
    assert text in str(refusal.value)


ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "spidermultusconfig.md"


def documented() -> list[Spec]:
    blocks = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return [each for block in blocks for each in yaml.safe_load_all(block) if each]


@pytest.mark.parametrize("example", documented(), ids=lambda each: each["metadata"]["name"])
def test_no_example_of_the_docs_is_warned_of(example: Spec) -> None:
    assert warnings(example["spec"]) == []


def test_every_reason_is_in_the_docs() -> None:
    text = DOCUMENT.read_text()
    reasons = {rule.reason for rule in COMPATIBILITY_RULES if rule.severity == "warning"}
    assert [each for each in sorted(reasons) if f"`{each}`" not in text] == []


def test_bond_options_are_those_of_the_plugin() -> None:
    source = (ROOT / "cni" / "internal" / "ifacer" / "options.go").read_text()
    constants = dict(re.findall(r'^\t(\w+) += "(\w+)"$', source, re.MULTILINE))
    tables = re.findall(r"^var option\w+ = .*?\n}\n", source, re.MULTILINE | re.DOTALL)
    assert len(tables) == 2
    keys = re.findall(r'(?:^\t"?|, ")(\w+)"?: ', "".join(tables), re.MULTILINE)
    assert {constants.get(key, key) for key in keys} == BOND_OPTIONS
