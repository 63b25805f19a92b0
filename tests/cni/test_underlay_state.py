"""Underlay mode, first interface: what an ADD makes."""

import pytest

from tests.cni.topology import NODE_IPV4, NODE_IPV6, Pod, Segment


def locally_administered(mac: str) -> bool:
    return int(mac[:2], 16) & 3 == 2


def test_veth_pair_has_link_address_mtu_and_alias(pod: Pod) -> None:
    pod.attach()
    pod.coordinator(vethLinkAddress="169.254.100.1", vethMTU=1400)
    inside, outside = pod.space.link("veth0"), pod.segment.node.link(pod.host_veth)
    assert inside is not None
    assert outside is not None
    assert "169.254.100.1/32" in pod.space.addresses("veth0")
    for end in (inside, outside):
        assert "UP" in end["flags"]
        assert end["mtu"] == 1400
        assert locally_administered(end["address"])
    assert outside["ifalias"].split() == [
        "spidercoordinator",
        pod.container,
        "eth0",
        "macvlan-conf",
    ]


def test_no_link_address_unless_configured(pod: Pod) -> None:
    pod.attach()
    pod.coordinator()
    assert [found for found in pod.space.addresses("veth0") if "." in found] == []


def test_no_ipv4_link_address_in_an_ipv6_pod(pod: Pod) -> None:
    pod.attach(families=(6,))
    answer = pod.coordinator(vethLinkAddress="169.254.100.1")
    assert "vethLinkAddress 169.254.100.1 is not set" in answer["warnings"]
    assert [found for found in pod.space.addresses("veth0") if "." in found] == []


def test_an_ipv6_link_address_is_usable_at_once(pod: Pod) -> None:
    pod.attach(families=(4, 6))
    pod.space.run("sysctl -qw net.ipv6.conf.default.accept_dad=1")
    pod.coordinator(vethLinkAddress="fe80::64")
    assert "fe80::64/128" in pod.space.addresses("veth0")
    assert "tentative" not in pod.space.run("ip -6 addr show dev veth0")
    pod.coordinator("CHECK", vethLinkAddress="fe80::64")


def test_main_table_routes_node_and_cluster_cidrs_through_veth0(pod: Pod) -> None:
    pod.attach()
    pod.segment.node.run("ip addr add 192.168.77.1/24 dev eth0")
    pod.coordinator()
    ip = pod.ipv4()
    assert sorted(pod.space.routes()) == sorted(
        [
            "default via 10.6.0.1 dev eth0",
            f"10.6.0.0/16 dev eth0 proto kernel scope link src {ip}",
            f"{NODE_IPV4} dev veth0 proto 92 scope link src {ip}",
            f"192.168.77.1 dev veth0 proto 92 scope link src {ip}",
            f"10.233.0.0/18 via {NODE_IPV4} dev veth0 proto 92 src {ip}",
            f"10.233.64.0/18 via {NODE_IPV4} dev veth0 proto 92 src {ip}",
            f"169.254.0.0/16 via {NODE_IPV4} dev veth0 proto 92 src {ip}",
        ]
    )


def test_mark_rule_looks_up_the_mark_table(pod: Pod) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator()
    assert pod.space.routes(4, 5000) == [
        f"default via {NODE_IPV4} dev veth0 proto 92 src {pod.ipv4()}"
    ]
    assert pod.space.routes(6, 5000) == [
        f"default via {NODE_IPV6} dev veth0 proto 92 src {pod.ipv6()} metric 1024 pref medium"
    ]
    rule = "1000: from all fwmark 0x20000000/0x20000000 lookup 5000 proto 92"
    for family in (4, 6):
        assert pod.space.rules(family)[:2] == ["0: from all lookup local", rule]


@pytest.mark.parametrize(
    ("families", "tables"), [((4,), ["ip"]), ((6,), ["ip6"]), ((4, 6), ["ip", "ip6"])]
)
def test_one_nftables_table_for_each_family_of_the_pod(
    pod: Pod, families: tuple[int, ...], tables: list[str]
) -> None:
    pod.attach(families=families)
    pod.coordinator()
    rules = pod.space.run("nft list ruleset")
    assert [line.split()[1] for line in rules.splitlines() if line.startswith("table")] == tables
    for line in (
        'iifname "veth0" ct state new ct mark set ct mark | 0x20000000',
        "ct mark & 0x20000000 == 0x20000000 meta mark set meta mark | 0x20000000",
        'ct mark & 0x20000000 == 0x20000000 iifname != "veth0" meta mark set meta mark |',
    ):
        assert rules.count(line) == len(tables)


def test_node_has_rule_route_and_neighbours_of_the_pod(pod: Pod) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator()
    node, veth = pod.segment.node, pod.host_veth
    inside, outside = pod.space.link("veth0"), node.link(veth)
    assert inside is not None
    assert outside is not None
    assert node.routes(4, 500) == [f"{pod.ipv4()} dev {veth} proto 92 scope link src {NODE_IPV4}"]
    source = f"src {NODE_IPV6} metric 1024 pref medium"
    assert node.routes(6, 500) == [f"{pod.ipv6()} dev {veth} proto 92 {source}"]
    for family, own, other in ((4, pod.ipv4(), NODE_IPV4), (6, pod.ipv6(), NODE_IPV6)):
        assert node.rules(family).count("1000: from all lookup 500 proto 92") == 1
        assert f"{own} dev {veth} lladdr {inside['address']} PERMANENT" in node.neighbours(family)
        assert f"{other} dev veth0 lladdr {outside['address']} PERMANENT" in pod.space.neighbours(
            family
        )


@pytest.mark.parametrize("family", [4, 6])
def test_nothing_is_added_in_the_other_family(pod: Pod, family: int) -> None:
    other = 10 - family
    pod.attach(families=(family,))
    pod.coordinator()
    assert [route for route in pod.space.routes(other) if "proto 92" in route] == []
    assert [rule for rule in pod.space.rules(other) if "proto 92" in rule] == []
    assert pod.space.neighbours(other) == []
    assert [rule for rule in pod.segment.node.rules(other) if "proto 92" in rule] == []


def test_host_rule_table_is_configurable(pod: Pod) -> None:
    pod.attach()
    pod.coordinator(hostRuleTable=200)
    node = pod.segment.node
    assert node.routes(4, 200) == [
        f"{pod.ipv4()} dev {pod.host_veth} proto 92 scope link src {NODE_IPV4}"
    ]
    assert "1000: from all lookup 200 proto 92" in node.rules()
    assert node.routes(4, 500) == []


def test_addresses_of_container_networks_are_not_the_nodes(pod: Pod, segment: Segment) -> None:
    pod.attach()
    names = ["docker0", "cali1", "veth9", "cni0", "flannel.1", "kube-ipvs0", "cilium_host"]
    names += ["virbr0", "dummy0", "cbr0", "lxcbr0", "vx-submariner", "kube-bridge", "weave"]
    names += ["kube-dummy-if", "nodelocaldns", "lxdbr0", "incusbr0", "podman1", "nerdctl0"]
    names += ["br-0123456789ab"]
    own = ["br0", "br-ex", "br-0123456789", "br-uplink01234"]
    for number, name in enumerate([*names, *own]):
        segment.node.run(f"ip link add {name} type bridge")
        segment.node.run(f"ip addr add 192.168.{number}.1/24 dev {name}")
        segment.node.run(f"ip link set {name} up")
    pod.coordinator()
    hosts = [
        route.split()[0] for route in pod.space.routes() if "veth0" in route and "via" not in route
    ]
    numbers = range(len(names), len(names) + len(own))
    assert sorted(hosts) == sorted([NODE_IPV4, *(f"192.168.{each}.1" for each in numbers)])


def test_a_container_network_that_comes_later_is_not_missed(pod: Pod, segment: Segment) -> None:
    """kube-router's bridge gets its address with the first pod on it."""
    pod.attach()
    pod.coordinator()
    segment.node.run("ip link add kube-bridge type bridge")
    segment.node.run("ip addr add 192.168.7.1/24 dev kube-bridge")
    segment.node.run("ip link set kube-bridge up")
    pod.coordinator("CHECK")


def test_policy_routes_of_the_first_interface_are_in_main(pod: Pod) -> None:
    pod.attach()
    entries = [
        {"dst": "198.18.0.0/15", "gw": "10.6.0.1"},
        {"dst": "2001:2::/48", "gw": "fd00:10:6::1"},
    ]
    pod.coordinator(policyRoutes=entries)
    wanted = f"198.18.0.0/15 via 10.6.0.1 dev eth0 proto 92 src {pod.ipv4()}"
    assert wanted in pod.space.routes()
    assert not [route for route in pod.space.routes(6) if route.startswith("2001:2::")]


@pytest.mark.parametrize("version", ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])
def test_result_is_prevresult_and_the_veth_pair(pod: Pod, version: str) -> None:
    before = pod.attach()
    pod.results["eth0"] = before | {"cniVersion": version}
    if version < "1":
        for entry in pod.results["eth0"]["ips"]:
            entry["version"] = "4"
    after = pod.coordinator(cniVersion=version)
    assert after["cniVersion"] == version
    assert [entry["address"] for entry in after["ips"]] == [
        entry["address"] for entry in before["ips"]
    ]
    assert after["ips"][0]["interface"] == 0
    assert [link["name"] for link in after["interfaces"]] == ["eth0", pod.host_veth, "veth0"]


def test_veth_mtu_is_set_on_both_ends(pod: Pod) -> None:
    pod.attach()
    pod.coordinator(vethMTU=1400)
    for link in (pod.space.link("veth0"), pod.segment.node.link(pod.host_veth)):
        assert link is not None
        assert link["mtu"] == 1400


def test_mtu_is_the_smallest_on_the_way_when_unset(pod: Pod, segment: Segment) -> None:
    segment.node.run("ip link add vxlan.calico type vxlan id 7 dstport 4789 dev eth0")
    segment.node.run("ip addr add 10.233.90.0/32 dev vxlan.calico")
    segment.node.run("ip link set vxlan.calico mtu 1430 up")
    segment.node.run("ip route add 10.233.91.0/26 dev vxlan.calico")
    segment.node.run("ip link add tailscale0 mtu 1280 type bridge")
    segment.node.run("ip addr add 100.64.0.1/32 dev tailscale0")
    pod.attach()
    pod.coordinator()
    for link in (pod.space.link("veth0"), segment.node.link(pod.host_veth)):
        assert link is not None
        assert link["mtu"] == 1430
    pod.coordinator("CHECK")


def test_mtu_of_the_pods_interface_counts(pod: Pod) -> None:
    pod.attach()
    pod.space.run("ip link set eth0 mtu 1410")
    pod.coordinator()
    link = pod.space.link("veth0")
    assert link is not None
    assert link["mtu"] == 1410
