"""Networks whose links or plugins may not work, by the reason of the warning."""

from __future__ import annotations

from tests.unit.network.compatibility.networks import (
    BOND,
    COORDINATOR,
    HOST_LOCAL,
    MACVLAN,
    STATIC,
    V4,
    WHEREABOUTS,
    Spec,
    custom,
    of,
    routed,
)

# As in ipam_cases.
LINK_LOCAL: Spec = {"type": "whereabouts", "range": "169.254.77.0/24"}

LINK_CASES: dict[str, tuple[list[Spec], list[Spec]]] = {
    "DHCPOnIpvlan": (
        [
            of("ipvlan", ipam={"type": "dhcp"}),
            custom({"type": "ipvlan", "master": "eth0", "ipam": {"type": "dhcp"}}),
        ],
        [of("ipvlan", ipam=HOST_LOCAL), custom(MACVLAN, {"type": "tuning"})],
    ),
    "VethMTUBelowIPv6": (
        [of("macvlan", coordinator={"vethMTU": 1000})],
        [of("macvlan", coordinator={"vethMTU": 1280})],
    ),
    "LinkAddressInSubnet": (
        [
            of("macvlan", ipam=LINK_LOCAL, coordinator={"vethLinkAddress": "169.254.77.1"}),
            of("ovs", ipam=LINK_LOCAL, coordinator={"vethLinkAddress": "169.254.77.200"}),
        ],
        [
            of("macvlan", ipam=LINK_LOCAL, coordinator={"vethLinkAddress": "169.254.100.1"}),
            of("macvlan", ipam=LINK_LOCAL, coordinator={"vethLinkAddress": "none"}),
            of("macvlan", ipam=LINK_LOCAL),
        ],
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
            for each in (
                *("miimon=1,min_links=1", "miimon", "miimon=1;fast", "miimon=", "mimon=1"),
                *("miimon=fast", "miimon=-1", "miimon=2147483648", "miimon=" + "9" * 1000),
                *("fail_over_mac=3", "primary=c", "active_slave=bond0", "ad_select=best"),
                *("arp_ip_target=ten", "arp_ip_target=fd00::1", "primary_reselect=on"),
                *("updelay=1;up_delay=2", "miimon=100;arp_interval=100", "lacp_rate=fast"),
                *("ad_actor_system=02:00:00:00:00:01", "packets_per_slave=2"),
            )
        ]
        + [
            of(
                "macvlan",
                {"master": ["a", "b"], "bond": {"name": "b0", "mode": 4, "options": each}},
            )
            for each in ("primary=a", "arp_interval=100", "ad_actor_system=x", "active_slave=a")
        ],
        [
            of("macvlan", {"master": ["a", "b"], "bond": {**BOND, "options": each}})
            for each in (
                *("", "miimon=100", " miimon = 100 ; min_links=1;", "up_delay=200", "primary=b"),
                *(
                    "fail_over_mac=Active",
                    "fail_over_mac=2",
                    "arp_interval=9;arp_ip_target=10.0.0.1",
                ),
                *(
                    "updelay=02;up_delay=2",
                    "miimon=100;arp_interval=0",
                    'arp_ip_target=["10.0.0.1"]',
                ),
                "primary_reselect=1;primary_reselect=better",
            )
        ]
        + [
            of(
                "macvlan",
                {"master": ["a", "b"], "bond": {"name": "b0", "mode": 4, "options": each}},
            )
            for each in (
                "lacp_rate=1;xmit_hash_policy=layer3+4",
                "ad_actor_system=02-00-00-00-00-01",
            )
        ],
    ),
    "LinkNotInContainer": (
        [
            of("macvlan", {"linkInContainer": True, "vlanID": 7}),
            of("macvlan", {"linkInContainer": True, "master": ["a", "b"], "bond": BOND}),
        ],
        [
            of("macvlan", {"linkInContainer": True}),
            of("macvlan", {"linkInContainer": True, "vlanID": 0}),
            of("macvlan", {"linkInContainer": False, "vlanID": 7}),
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
        [of("macvlan", chainCNIJsonData=['{"type":"portmap"}', '{"type":"vrf","vrfname":"v"}'])],
    ),
    "CustomVersionUnspoken": (
        [
            custom(MACVLAN, {"type": "firewall"}, cniVersion="0.3.1"),
            custom({"type": "macvlan", "ipam": {"type": "spiderpool"}}, cniVersion="1.1.0"),
            {"cniType": "custom", "customCNI": '{"cniVersion":"0.3.0","type":"vrf","vrfname":"v"}'},
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
    "TrunkRangeIgnored": (
        [
            of("ovs", {"trunk": [{"minID": 0, "maxID": 9}]}),
            of("ovs", {"trunk": [{"id": 10}, {"minID": 0, "maxID": 9}]}),
            of("ovs", {"trunk": [{"minID": 0, "maxID": 0}]}),
        ],
        [of("ovs", {"trunk": [{"id": 0}, {"minID": 1, "maxID": 9}]}), of("ovs", {"trunk": []})],
    ),
    "VLANWithTrunk": (
        [of("ovs", {"vlan": vlan, "trunk": [{"id": 5}]}) for vlan in (5, 7)],
        [
            of("ovs", {"trunk": [{"id": 5}]}),
            of("ovs", {"vlan": 0, "trunk": [{"id": 5}]}),
            of("ovs", {"vlan": 7, "trunk": []}),
            of("ovs", {"vlan": 7}),
        ],
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
