"""Networks with JSON texts that plugins, or runtimes, refuse: warned of, and fine."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.network.compatibility.networks import MACVLAN, Spec, custom, of


def chained(cni_type: str, *plugins: Spec) -> Spec:
    return of(cni_type, chainCNIJsonData=[json.dumps(each) for each in plugins])


def tuning(**settings: Any) -> Spec:
    return chained("macvlan", {"type": "tuning", **settings})


def main(kind: str, **settings: Any) -> Spec:
    return custom(
        {"type": kind, "ipam": {"type": "whereabouts", "range": "10.6.0.0/24"}, **settings}
    )


V6: Spec = {"ipam": {"type": "whereabouts", "range": "fd06::/64"}}
RATES: Spec = {"ingressRate": 1000, "ingressBurst": 1000}

# Reason → networks that it is about, and networks near them that are fine.
TEXT_CASES: dict[str, tuple[list[Spec], list[Spec]]] = {
    "PluginSetting": (
        [
            tuning(sysctl={"net.core.somaxconn": 512}),
            tuning(sysctl={"net.ipv4.conf.IFNAME.rp_filter": True}),
            tuning(sysctl=["net.core.somaxconn=512"]),
            tuning(SysCtl={"net.core.somaxconn": 512}),
            tuning(sysctl={"kernel.shmmax": "1"}),
            tuning(mtu="1400"),
            tuning(mtu=40),
            tuning(mtu=1400.5),
            tuning(promisc="true"),
            custom(MACVLAN, {"type": "tuning", "mac": "0a:1b:2c"}),
            tuning(txQLen="1000"),
            tuning(capabilities={"mac": "true"}),
            tuning(capabilities=["mac"]),
            chained("macvlan", {"type": "portmap", "snat": "true"}),
            chained("macvlan", {"type": "portmap", "conditionsV4": "-d 10.0.0.0/8"}),
            chained("macvlan", {"type": "portmap", "capabilities": {"portMappings": 1}}),
            chained("macvlan", {"type": "vrf"}),
            chained("sriov", {"type": "vrf", "vrfname": "blue", "table": "10"}),
            chained("macvlan", {"type": "sbr", "table": "200"}),
            custom(MACVLAN, {"type": "firewall", "ingressPolicy": "closed"}),
            custom(MACVLAN, {"type": "firewall", "ingressPolicy": "same-bridge"}),
            chained("ovs", {"type": "bandwidth", "ingressRate": 1000}),
            chained("ovs", {"type": "bandwidth", "egressRate": 0, "egressBurst": 9}),
            chained("ovs", {"type": "bandwidth", "ingressRate": "1M", "ingressBurst": "1M"}),
            chained("ovs", {"type": "bandwidth", "ingressRate": 1, "ingressBurst": 2**36}),
            *(
                chained(each, {"type": "bandwidth", **RATES})
                for each in ("macvlan", "ipvlan", "vlan", "sriov", "ipoib", "ib-sriov")
            ),
            main("macvlan", mode="bride"),
            main("macvlan", mtu="1400"),
            main("macvlan", master=["eth0"]),
            main("ipvlan", mode="l4"),
            main("vlan", vlanId=7),
            main("vlan", master="eth0", vlanId="7"),
            main("vlan", master="eth0", vlanId=5000),
            main("host-device"),
            main("bridge", hairpinMode=True, promiscMode=True),
            main("bridge", isGateway="true"),
            main("bridge", vlan=-1),
            main("ptp", ipMasq=1),
            main("bridge", dns=["10.0.0.1"]),
            custom(MACVLAN, {"type": "tuning", "sysctl": {"net.core.somaxconn": 512}}),
            custom(MACVLAN, {"type": "bandwidth", **RATES}),
            {
                "cniType": "custom",
                "customCNI": '{"cniVersion":"0.4.0","type":"macvlan","mode":"bride",'
                '"ipam":{"type":"dhcp"}}',
            },
        ],
        [
            tuning(sysctl={"net.core.somaxconn": "512", "net/ipv4/conf/IFNAME/arp_notify": "1"}),
            tuning(mtu=1400, promisc=True, allmulti=False, txQLen=1000, mac=None),
            tuning(capabilities={"mac": True}, mtu=0, whatever=[1]),
            chained("macvlan", {"type": "portmap", "capabilities": {"portMappings": True}}),
            chained("macvlan", {"type": "bandwidth", "capabilities": {"bandwidth": True}}),
            chained("macvlan", {"type": "bandwidth", "ingressRate": 0, "ingressBurst": 0}),
            chained("ovs", {"type": "bandwidth", **RATES}),
            chained("macvlan", {"type": "vrf", "vrfname": "blue"}),
            chained("macvlan", {"type": "sbr"}),
            custom(MACVLAN, {"type": "firewall", "ingressPolicy": "open", "backend": ""}),
            chained("macvlan", {"type": "of-others", "sysctl": {"a": 1}, "mtu": "x"}),
            main("macvlan", mode="", mtu=1400),
            main("macvlan", master="eth0", mode="private", linkInContainer=True),
            main("ipvlan", mode="l3s"),
            main("vlan", master="eth0", vlanId=7),
            main("host-device", device="eth1"),
            main("host-device", capabilities={"deviceID": True}),
            custom(
                {"type": "bridge", "bridge": "br0", "isGateway": True},
                {"type": "bandwidth", **RATES},
                {"type": "firewall", "ingressPolicy": "same-bridge"},
            ),
        ],
    ),
    "IPv6TunedAway": (
        [
            {**tuning(mtu=1200), **V6},
            {**tuning(sysctl={"net.ipv6.conf.IFNAME.disable_ipv6": "1"}), **V6},
            {**tuning(sysctl={"net/ipv6/conf/all/disable_ipv6": "1\n"}), **V6},
        ],
        [
            {**tuning(mtu=1280), **V6},
            {**tuning(mtu=1200), "ipam": {"type": "whereabouts", "range": "10.6.0.0/24"}},
            {**tuning(sysctl={"net.ipv6.conf.IFNAME.disable_ipv6": "0"}), **V6},
            {**tuning(sysctl={"net.ipv6.conf.eth7.disable_ipv6": "1"}), **V6},
        ],
    ),
    "ListRefused": (
        [
            custom(MACVLAN, name="my net"),
            custom(MACVLAN, name="-net"),
            custom(MACVLAN, name=7),
        ],
        [custom(MACVLAN, name="my_net-1.x"), custom(MACVLAN, name=""), custom(MACVLAN)],
    ),
}
