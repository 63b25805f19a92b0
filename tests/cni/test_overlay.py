"""Overlay mode: an underlay interface beside a cluster network's."""

import pytest

from tests.cni import overlay
from tests.cni.routing import OUTSIDE, SERVICE, defaults, from_rules, own
from tests.cni.topology import NODE_IPV4, NODE_IPV6, SERVICE_CIDRS, PluginError, Pod, Segment
from tests.cni.traffic import ask, pings, server

DUAL = (4, 6)
CLUSTER = {4: overlay.IPV4, 6: overlay.IPV6}
NODE = {4: NODE_IPV4, 6: NODE_IPV6}
both = pytest.mark.parametrize("family", [4, 6])


@pytest.fixture
def beside(pod: Pod) -> Pod:
    """A pod with a cluster network's eth0."""
    overlay.connect(pod)
    return pod


def attach(pod: Pod, dev: str = "net1", **section: object) -> None:
    pod.attach(dev, families=DUAL, net=6 + int(dev[-1]))
    pod.coordinator("ADD", dev, **section)  # type: ignore[arg-type]


def test_overlay_mode_is_refused_for_the_first_interface(beside: Pod) -> None:
    result = {"cniVersion": "1.0.0", "interfaces": [], "ips": [{"address": f"{CLUSTER[4]}/32"}]}
    with pytest.raises(PluginError, match="current interface is first interface named eth0"):
        beside.coordinator("ADD", "eth0", mode="overlay", prevResult=result)


def test_overlay_mode_is_refused_beside_underlay(pod: Pod) -> None:
    pod.attach()
    pod.coordinator()
    pod.attach("net1", net=7)
    with pytest.raises(PluginError, match="auxiliary interface veth0 of underlay mode exists"):
        pod.coordinator("ADD", "net1", mode="overlay")


def test_overlay_needs_a_cluster_network(pod: Pod) -> None:
    pod.attach()
    pod.attach("net1", net=7)
    with pytest.raises(PluginError, match=r"first interface eth0 .of kind macvlan. has no peer"):
        pod.coordinator("ADD", "net1")


def test_auto_is_overlay_beside_a_cluster_network(beside: Pod) -> None:
    attach(beside)
    assert beside.space.link("veth0") is None
    assert beside.space.run("nft list ruleset") == ""
    for family in (4, 6):
        assert not [rule for rule in beside.space.rules(family) if "fwmark" in rule]


@both
def test_both_interfaces_have_a_rule_and_a_table(beside: Pod, family: int) -> None:
    attach(beside)
    mine = own(beside, "net1", family)
    tables = from_rules(beside, family)
    assert set(tables) == {CLUSTER[family], mine}
    assert tables[mine] != tables[CLUSTER[family]]
    assert defaults(beside, family) == ["eth0"]
    assert defaults(beside, family, tables[mine]) == ["net1"]
    assert defaults(beside, family, tables[CLUSTER[family]]) == ["eth0"]
    subnet = "10.7.0.0/16" if family == 4 else "fd00:10:7::/64"
    assert any(route.startswith(subnet) for route in beside.space.routes(family, tables[mine]))
    near = "10.7.0.77" if family == 4 else "fd00:10:7::77"
    get = beside.space.route_get
    assert "dev net1" in get(near, family)
    assert "dev eth0" in get(f"{near} from {CLUSTER[family]}", family)
    assert "dev eth0" in get(OUTSIDE[family], family)
    assert "dev net1" in get(f"{OUTSIDE[family]} from {mine}", family)
    assert "dev eth0" in get(SERVICE[family], family)


@both
def test_routes_and_neighbours_between_pod_and_node_use_the_cluster_networks_veth(
    beside: Pod, segment: Segment, family: int
) -> None:
    attach(beside)
    inside = beside.space.link("eth0")
    assert inside is not None
    mine, name = own(beside, "net1", family), overlay.peer(beside)
    main = beside.space.routes(family)
    way = f"via {overlay.GATEWAY[family]} dev eth0 proto 92 src {CLUSTER[family]}"
    for target in (NODE[family], SERVICE_CIDRS[family == 6]):
        assert any(route.startswith(f"{target} {way}") for route in main)
    assert any(r.startswith(f"{mine} dev {name}") for r in segment.node.routes(family, 500))
    entry = f"{mine} dev {name} lladdr {inside['address']} PERMANENT"
    assert entry in segment.node.neighbours(family)


@both
def test_traffic_of_both_interfaces(beside: Pod, segment: Segment, family: int) -> None:
    for net in (7, 8):
        segment.lan.run(f"ip addr add 10.{net}.0.1/16 dev eth0")
        segment.lan.run(f"ip -6 addr add fd00:10:{net}::1/64 dev eth0 nodad")
    attach(beside)
    mine = own(beside, "net1", family)
    with server(beside.space, "::" if family == 6 else "0.0.0.0", 8080):
        assert ask(segment.node, mine, 8080) is not None
        assert ask(segment.node, CLUSTER[family], 8080) is not None
        assert ask(segment.lan, mine, 8080) is not None
    assert pings(beside.space, NODE[family])
    with server(segment.node, NODE[family], 10250):
        assert ask(beside.space, NODE[family], 10250) is not None


@both
def test_a_further_interface_gets_its_own_table(beside: Pod, family: int) -> None:
    attach(beside)
    before = from_rules(beside, family)
    attach(beside, "net2")
    after = from_rules(beside, family)
    mine = own(beside, "net2", family)
    assert {key: table for key, table in after.items() if key != mine} == before
    assert after[mine] not in before.values()
    assert defaults(beside, family, after[mine]) == ["net2"]
    assert defaults(beside, family) == ["eth0"]


@both
def test_default_route_on_the_underlay_interface(beside: Pod, family: int) -> None:
    attach(beside, podDefaultRouteNIC="net1")
    tables = from_rules(beside, family)
    assert set(tables) == {CLUSTER[family]}
    assert defaults(beside, family) == ["net1"]
    assert defaults(beside, family, tables[CLUSTER[family]]) == ["eth0"]
    assert "dev eth0" in beside.space.route_get(SERVICE[family], family)
    assert not [rule for rule in beside.space.rules(family) if "fwmark" in rule]


def test_an_interface_without_coordinator_in_between(beside: Pod) -> None:
    beside.attach("net1", families=DUAL, net=7)
    attach(beside, "net2")
    for family in (4, 6):
        tables = from_rules(beside, family)
        assert CLUSTER[family] in tables
        assert defaults(beside, family, tables[CLUSTER[family]]) == ["eth0"]
        assert f"via {overlay.GATEWAY[family]} dev eth0" in beside.space.route_get(
            NODE[family], family
        )
        assert "dev eth0" in beside.space.route_get(SERVICE[family], family)


def test_a_family_that_only_the_further_interface_has_keeps_its_default_route(pod: Pod) -> None:
    overlay.connect(pod, families=(4,))
    attach(pod)
    assert defaults(pod, 4) == ["eth0"]
    assert defaults(pod, 6) == ["net1"]
    assert "dev net1" in pod.space.route_get(OUTSIDE[6], 6)


def test_a_cluster_network_without_default_route(pod: Pod, segment: Segment) -> None:
    overlay.connect(pod, families=(4,), gateway=False)
    attach(pod)
    mine = pod.ipv4("net1")
    # Nothing says how eth0 reaches the node: its peer is the other end.
    assert f"{NODE_IPV4} dev eth0 lladdr {overlay.PEER_MAC} PERMANENT" in pod.space.neighbours()
    with server(segment.node, NODE_IPV4, 10250):
        assert ask(pod.space, NODE_IPV4, 10250) == (CLUSTER[4], NODE_IPV4)
    assert from_rules(pod, 4)[mine] == "5001"
    assert defaults(pod, 4, 5001) == ["net1"]
    assert defaults(pod, 4) == ["net1"]


def test_policy_routes_are_in_the_interfaces_table(beside: Pod) -> None:
    entries = [
        {"dst": "198.18.0.0/15", "gw": "10.7.0.1"},
        {"dst": "2001:2::/48", "gw": "fd00:10:7::1"},
        {"dst": "203.0.113.0/24", "gw": "10.99.0.1"},
    ]
    beside.attach("net1", families=DUAL, net=7)
    answer = beside.coordinator("ADD", "net1", policyRoutes=entries)
    table = from_rules(beside, 4)[beside.ipv4("net1")]
    mine = beside.ipv4("net1")
    assert f"198.18.0.0/15 via 10.7.0.1 dev net1 proto 92 src {mine}" in beside.space.routes(
        4, table
    )
    assert any(
        route.startswith("2001:2::/48 via fd00:10:7::1 dev net1")
        for route in beside.space.routes(6, table)
    )
    assert "203.0.113.0/24 via 10.99.0.1 is left out" in answer["warnings"]


def test_del_removes_the_interfaces_entries(beside: Pod, segment: Segment) -> None:
    attach(beside)
    mine = {family: own(beside, "net1", family) for family in (4, 6)}
    beside.coordinator("DEL", "net1")
    assert segment.node.link(overlay.peer(beside)) is not None
    for family in (4, 6):
        assert segment.node.routes(family, 500) == []
        assert segment.node.neighbours(family) == []
        assert mine[family] not in from_rules(beside, family)


def test_del_without_the_pods_netns_removes_the_nodes_entries(
    beside: Pod, segment: Segment
) -> None:
    attach(beside)
    beside.coordinator("DEL", "net1", env={"CNI_NETNS": "/run/netns/missing"})
    for family in (4, 6):
        assert segment.node.routes(family, 500) == []
        assert segment.node.neighbours(family) == []


def test_add_twice_and_check(beside: Pod) -> None:
    attach(beside)
    before = [beside.space.rules(family) + beside.space.routes(family, "all") for family in (4, 6)]
    beside.coordinator("ADD", "net1")
    beside.coordinator("CHECK", "net1")
    after = [beside.space.rules(family) + beside.space.routes(family, "all") for family in (4, 6)]
    assert after == before
