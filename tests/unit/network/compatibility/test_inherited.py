"""Networks with what they inherit: from the SpiderCoordinator, and IPAM from the cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spidercoordinator.api.multus import NO_OWN_MAC
from spidercoordinator.api.nad import DEFAULT_CNI_VERSION
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.called import called_plugins
from spidercoordinator.core.network.compatibility import (
    COMPATIBILITY_RULES,
    network_warnings,
    subject_of,
)
from spidercoordinator.core.network.conditions import network_conditions
from spidercoordinator.core.network.desired import depends_on_cluster, desired_nad
from spidercoordinator.core.network.ipam import ClusterIPAM
from tests.unit.network.compatibility.ipam_cases import IPAM_CASES
from tests.unit.network.compatibility.link_cases import LINK_CASES
from tests.unit.network.compatibility.networks import (
    DUAL,
    MACVLAN,
    MINIMAL,
    SHOWN,
    V4,
    V6,
    WHEREABOUTS,
    Spec,
    cluster,
    custom,
    of,
    parsed,
    warnings,
)
from tests.unit.network.compatibility.text_cases import TEXT_CASES

ABOUT_IPAM = {
    rule.reason for rule in COMPATIBILITY_RULES if rule.field.startswith(("{ipam}", "spec.ipam"))
}


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


V6_ONLY: Spec = {"type": "whereabouts", "range": "fd06::/64"}


@pytest.mark.parametrize(
    ("spec", "default", "reason"),
    [
        pytest.param(
            of("macvlan"),
            {"type": "whereabouts", "range": "10.244.9.0/24"},
            "SubnetOverlap",
            id="pods",
        ),
        pytest.param(
            of("macvlan", coordinator={"policyRoutes": [{"dst": "10.9.0.0/16", "gw": "10.7.0.1"}]}),
            WHEREABOUTS,
            "GatewayUnreachable",
            id="gateway",
        ),
        pytest.param(of("macvlan", {"mtu": 1000}), V6_ONLY, "MTUBelowIPv6", id="an MTU"),
    ],
)
def test_the_default_ipam_counts_as_the_network_s_own(
    spec: Spec, default: Spec, reason: str
) -> None:
    def told(given: Spec, ipam: ClusterIPAM) -> set[str]:
        return {w.reason for w in network_warnings(subject_of(parsed(given).spec, cluster(), ipam))}

    assert reason in told(spec, ClusterIPAM(default))
    assert reason in told({**spec, "ipam": default}, ClusterIPAM())
    other = {"type": "dhcp"}
    if reason != "MTUBelowIPv6":  # of a family that is not known it is warned, too
        assert reason not in told({**spec, "ipam": other}, ClusterIPAM(default))


IN_SPEC = [
    spec
    for cases in (IPAM_CASES, LINK_CASES, TEXT_CASES)
    for bad, good in cases.values()
    for spec in (*bad, *good)
    if "ipam" in spec
]


@pytest.mark.parametrize("spec", IN_SPEC)
def test_every_rule_says_of_the_default_ipam_what_it_says_of_the_same_in_spec(spec: Spec) -> None:
    around = cluster()
    bare = {key: value for key, value in spec.items() if key != "ipam"}

    def told(given: Spec, ipam: ClusterIPAM | None) -> list[tuple[str, str]]:
        subject = subject_of(parsed(given).spec, around, ipam, cni_version=DEFAULT_CNI_VERSION)
        return [(each.reason, each.message) for each in network_warnings(subject, notices=True)]

    own, inherited = told(spec, None), told(bare, ClusterIPAM(spec["ipam"]))
    assert [reason for reason, _ in inherited] == [reason for reason, _ in own]
    for (reason, message), (_, theirs) in zip(inherited, own, strict=True):
        if reason in ABOUT_IPAM:
            assert message == f"of the chart's defaultIPAM: {theirs}"


def test_vlan_mode_auto_takes_addresses_from_spiderpool_whatever_the_default_is() -> None:
    spec = parsed({"cniType": "vlan", "vlan": {"master": ["a"], "vlanMode": "auto"}}).spec
    names = [name for _, name in called_plugins(spec, WHEREABOUTS)]
    assert names == ["vlan", "spiderpool", "coordinator"]
    found = network_warnings(
        subject_of(spec, cluster(), ClusterIPAM(WHEREABOUTS), cni_version="1.1.0")
    )
    assert [each.reason for each in found] == ["CNIVersionUnspoken"]


def test_the_families_of_the_default_ipam_are_those_of_the_pods() -> None:
    around = cluster(vethLinkAddress="169.254.100.1")
    spec = parsed(of("macvlan")).spec
    [state, *_] = network_conditions(spec, around, ClusterIPAM(V6_ONLY))
    assert (state.status, state.reason) == (False, "FamilyMismatch")
    [state, *_] = network_conditions(spec, around, ClusterIPAM(WHEREABOUTS))
    assert (state.status, state.message) == (True, "veth0 of pods has 169.254.100.1")


def test_an_inherited_link_address_is_looked_at_in_each_network() -> None:
    ipam = {"type": "whereabouts", "range": "169.254.77.0/24"}
    around = cluster(vethLinkAddress="169.254.77.9")
    assert [each.reason for each in warnings(of("macvlan", ipam=ipam), around)] == [
        "LinkAddressInSubnet"
    ]
    off = {"mode": "overlay"}
    assert warnings(of("macvlan", ipam=ipam, coordinator=off), around) == []
