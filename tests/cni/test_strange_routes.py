"""Routing tables that are not as usual, in the pod and on the node: read, and never fatal."""

import pytest

from tests.cni import overlay
from tests.cni.namespace import Namespace
from tests.cni.routing import DUAL, OUTSIDE, own
from tests.cni.test_idempotency import fail_at
from tests.cni.topology import NODE_IPV4, NODE_IPV6, Pod, Segment
from tests.cni.traffic import ask, pings, server

NODE = {4: NODE_IPV4, 6: NODE_IPV6}
ROUTER = {4: "10.6.0.1", 6: "fd00:10:6::1"}
SECOND = {4: "10.6.0.2", 6: "fd00:10:6::2"}
NETWORK = {4: "198.51.100.0/24", 6: "2001:db8:51::/48"}
SERVICES = {4: "10.233.0.0/18", 6: "fd85:ee79::/116"}
both = pytest.mark.parametrize("family", DUAL)

TYPES = ["blackhole", "prohibit", "unreachable", "throw"]
# What becomes of the default route by ROUTER, in the words of ip(8).
OF_AN_INTERFACE = {
    "none": [],
    "two": ["route add default via {router} metric 10", "route add default via {second} metric 20"],
    "several next hops": ["route add default nexthop via {router} nexthop via {second}"],
}
OBJECTS = {
    "a nexthop object": [
        "nexthop add id 7 via {router} dev eth0",
        "route add default nhid 7",
    ],
    "a group of nexthop objects": [
        "nexthop add id 7 via {router} dev eth0",
        "nexthop add id 8 via {second} dev eth0",
        "nexthop add id 9 group 7/8",
        "route add default nhid 9",
    ],
}
# IPv6 routes have no type of service.
SERVICE = {"one for a type of service": ["route add default via {router} tos 0x10"]}
DEFAULTS = OF_AN_INTERFACE | {kind: [f"route add {kind} default"] for kind in TYPES}
OF_A_POD = [
    pytest.param(family, commands, id=f"{name}-{family}")
    for family in DUAL
    for name, commands in (DEFAULTS | OBJECTS | (SERVICE if family == 4 else {})).items()
]


def ip_command(family: int, words: str) -> str:
    """Return the command; groups of nexthop objects are of no family."""
    return f"ip {words}" if "group" in words else f"ip -{family} {words}"


def change_defaults(space: Namespace, family: int, commands: list[str]) -> None:
    run = space.run
    run(f"ip -{family} route del default")
    for command in commands:
        words = command.format(router=ROUTER[family], second=SECOND[family])
        run(ip_command(family, words))


def reach_each_other(pod: Pod, family: int, dev: str = "eth0") -> None:
    node, ip = pod.segment.node, own(pod, dev, family)
    with server(pod.space, ip, 8080):
        assert ask(node, ip, 8080) == (NODE[family], ip)
    assert pings(pod.space, NODE[family])


@both
@pytest.mark.parametrize("commands", (DEFAULTS | OBJECTS).values(), ids=DEFAULTS | OBJECTS)
def test_default_routes_of_the_node(
    pod: Pod, segment: Segment, family: int, commands: list[str]
) -> None:
    change_defaults(segment.node, family, commands)
    pod.attach(families=DUAL)
    pod.coordinator()
    reach_each_other(pod, family)
    pod.coordinator("CHECK")
    pod.coordinator("DEL")


@pytest.mark.parametrize(("family", "commands"), OF_A_POD)
def test_default_routes_of_the_pod(pod: Pod, family: int, commands: list[str]) -> None:
    pod.attach(families=DUAL)
    change_defaults(pod.space, family, commands)
    pod.coordinator()
    pod.coordinator("CHECK")
    pod.attach("net1", families=DUAL, net=7)
    pod.coordinator("ADD", "net1")
    for dev in ("eth0", "net1"):
        pod.coordinator("CHECK", dev)
        reach_each_other(pod, family, dev)
    words = f"{OUTSIDE[family]} from {own(pod, 'net1', family)}"
    assert "dev net1" in pod.space.route_get(words, family)
    pod.coordinator("DEL", "net1")
    pod.detach("net1")
    if family == 6 and "nhid" in "".join(commands):
        pod.coordinator()  # net1's default route took the place of this one, which CHECK would name
    pod.coordinator("CHECK")
    reach_each_other(pod, family)


@pytest.mark.parametrize(
    ("family", "commands"),
    [row for row in OF_A_POD if not str(row.id).startswith(("none", "two", "pro", "unr", "throw"))],
)
def test_the_default_route_moves_away_from_such_an_interface(
    pod: Pod, family: int, commands: list[str]
) -> None:
    pod.attach(families=DUAL)
    change_defaults(pod.space, family, commands)
    pod.coordinator(podDefaultRouteNIC="net1")
    pod.attach("net1", families=DUAL, net=7)
    pod.coordinator("ADD", "net1", podDefaultRouteNIC="net1")
    for dev in ("eth0", "net1"):
        pod.coordinator("CHECK", dev, podDefaultRouteNIC="net1")
        reach_each_other(pod, family, dev)
    words = f"{OUTSIDE[family]} from {own(pod, 'net1', family)}"
    assert "dev net1" in pod.space.route_get(words, family)


@both
@pytest.mark.parametrize("commands", OF_AN_INTERFACE.values(), ids=OF_AN_INTERFACE)
def test_default_routes_of_a_further_interface(pod: Pod, family: int, commands: list[str]) -> None:
    pod.attach(families=DUAL, net=7)
    pod.coordinator()
    pod.attach("net1", families=DUAL)
    pod.space.run(f"ip -{family} route del default via {ROUTER[family]} dev net1")
    for command in commands:
        words = command.replace("dev eth0", "dev net1").replace("add default", "append default")
        words = words.format(router=ROUTER[family], second=SECOND[family])
        pod.space.run(ip_command(family, words))
    pod.coordinator("ADD", "net1", podDefaultRouteNIC="eth0")
    for dev in ("eth0", "net1"):
        pod.coordinator("CHECK", dev, podDefaultRouteNIC="eth0")
        reach_each_other(pod, family, dev)


@both
@pytest.mark.parametrize("kind", TYPES)
def test_routes_of_other_types_are_read_and_restored(pod: Pod, family: int, kind: str) -> None:
    pod.attach(families=DUAL)
    for network in (NETWORK[family], SERVICES[family]):
        pod.space.run(f"ip -{family} route add {kind} {network}")
    before = sorted(pod.space.routes(family, "all"))
    steps = 0
    while "injected fault" in fail_at(pod, steps):
        assert sorted(pod.space.routes(family, "all")) == before, f"after step {steps} failed"
        steps += 1
    assert any(f"{kind} {NETWORK[family]}" in route for route in pod.space.routes(family))
    reach_each_other(pod, family)
    pod.coordinator("CHECK")


@both
@pytest.mark.parametrize("kind", TYPES)
def test_a_route_of_another_type_in_the_nodes_table(
    pod: Pod, segment: Segment, family: int, kind: str
) -> None:
    pod.attach(families=DUAL)
    segment.node.run(f"ip -{family} route add {kind} {own(pod, 'eth0', family)} table 500")
    pod.coordinator()
    reach_each_other(pod, family)
    pod.coordinator("CHECK")


def kept_client(segment: Segment, family: int) -> str:
    """Let the machine beside the node ask it from an address outside; return that."""
    client = "192.0.2.77" if family == 4 else "2001:db8:77::7"
    length, flag = (32, "") if family == 4 else (128, "nodad")
    segment.lan.run(f"ip -{family} addr add {client}/{length} dev eth0 {flag}")
    segment.node.run(f"ip -{family} route add {client} dev eth0")
    segment.lan.run(f"ip -{family} route add {NODE[family]} dev eth0 src {client}")
    return client


def node_port(segment: Segment, family: int, address: str) -> None:
    """Translate port 30080 of the node to 8080 of a pod, and keep the client's address."""
    word, target = ("ip", address) if family == 4 else ("ip6", f"[{address}]")
    segment.node.run(
        "nft -f -",
        stdin=f"""
        table {word} nodeport {{
            chain pre {{ type nat hook prerouting priority -100;
                {word} daddr {NODE[family]} tcp dport 30080 dnat to {target}:8080; }}
        }}""",
    )


@both
def test_a_pod_without_default_route_answers_clients_whose_address_was_kept(
    pod: Pod, segment: Segment, family: int
) -> None:
    pod.attach(families=DUAL, gateway=False)
    pod.coordinator()
    ip, client = own(pod, "eth0", family), kept_client(segment, family)
    node_port(segment, family, ip)
    with server(pod.space, ip, 8080):
        assert ask(segment.lan, NODE[family], 30080) == (client, ip)
    pod.coordinator("CHECK")


@both
def test_replies_of_the_first_interface_whose_default_route_multus_deleted(
    pod: Pod, family: int
) -> None:
    pod.attach(families=DUAL)
    pod.coordinator()
    for each in DUAL:
        pod.space.run(f"ip -{each} route del default dev eth0")
    pod.attach("net1", families=DUAL, net=7)
    pod.coordinator("ADD", "net1")
    for dev in ("eth0", "net1"):
        words = f"{OUTSIDE[family]} from {own(pod, dev, family)}"
        assert f"dev {dev} " in pod.space.route_get(words, family)
        pod.coordinator("CHECK", dev)
    assert "dev net1" in pod.space.route_get(OUTSIDE[family], family)
    pod.coordinator("DEL", "net1")
    pod.detach("net1")
    assert "dev eth0" in pod.space.route_get(OUTSIDE[family], family)


@both
def test_replies_of_the_cluster_networks_interface_whose_default_route_multus_deleted(
    pod: Pod, family: int
) -> None:
    overlay.connect(pod)
    for each in DUAL:
        pod.space.run(f"ip -{each} route del default dev eth0")
    pod.attach("net1", families=DUAL, net=7)
    pod.coordinator("ADD", "net1")
    first = overlay.IPV4 if family == 4 else overlay.IPV6
    assert "dev eth0" in pod.space.route_get(f"{OUTSIDE[family]} from {first}", family)
    assert "dev net1" in pod.space.route_get(OUTSIDE[family], family)
    pod.coordinator("CHECK", "net1")


@both
def test_a_cluster_network_with_several_routers(pod: Pod, family: int) -> None:
    """The way to the node and to services is by one of them."""
    overlay.connect(pod)
    first, second = overlay.GATEWAY[family], {4: "169.254.1.2", 6: "fe80::2"}[family]
    if family == 4:
        pod.space.run(f"ip route add {second} dev eth0 scope link")
    pod.space.run(f"ip -{family} route del default")
    hops = " ".join(f"nexthop via {router} dev eth0" for router in (first, second))
    pod.space.run(f"ip -{family} route add default {hops}")
    pod.attach("net1", families=DUAL, net=7)
    pod.coordinator("ADD", "net1")
    pod.coordinator("CHECK", "net1")
    for target in (NODE[family], SERVICES[family]):
        [route] = [each for each in pod.space.routes(family) if each.startswith(f"{target} ")]
        assert f"via {first} dev eth0" in route
    reach_each_other(pod, family, "net1")
