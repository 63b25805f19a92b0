"""Several addresses of one interface: which one is the source, of the node and of the pod."""

import pytest

from tests.cni import overlay
from tests.cni.conftest import wait_for
from tests.cni.routing import DUAL, own
from tests.cni.topology import LAN_IPV6, NODE_IPV4, NODE_IPV6, Pod, Segment
from tests.cni.traffic import ask, server

NODE = {4: NODE_IPV4, 6: NODE_IPV6}
TEMPORARY = [
    "sysctl -qw net.ipv6.conf.eth0.use_tempaddr=2 net.ipv6.conf.eth0.accept_dad=0",
    f"ip -6 addr del {NODE_IPV6}/64 dev eth0",
    f"ip -6 addr add {NODE_IPV6}/64 dev eth0 nodad mngtmpaddr valid_lft 3600 preferred_lft 1800",
    f"ip -6 route replace default via {LAN_IPV6}",
]
OF_THE_NODE = {
    "a virtual one of IPv4": ["ip addr add 10.6.0.99/16 dev eth0"],
    "a virtual one": ["ip -6 addr add fd00:10:6::99/64 dev eth0 nodad"],
    "a deprecated one": ["ip -6 addr add fd00:10:6::99/64 dev eth0 nodad preferred_lft 0"],
    "a deprecated one and no default route": [
        "ip -6 addr add fd00:10:6::99/64 dev eth0 nodad preferred_lft 0",
        "ip route del default",
        "ip -6 route del default",
    ],
    "a temporary one": TEMPORARY,
}


def temporary_is_settled(segment: Segment) -> bool:
    shown = segment.node.run("ip -6 addr show dev eth0 temporary")
    return "temporary" in shown and "tentative" not in shown


@pytest.mark.parametrize("subnet", ["10.6", "10.7"], ids=["node's subnet", "another subnet"])
@pytest.mark.parametrize("case", OF_THE_NODE)
def test_the_nodes_own_address_is_its_source(segment: Segment, case: str, subnet: str) -> None:
    for command in OF_THE_NODE[case]:
        segment.node.run(command)
    if case == "a temporary one":
        wait_for(lambda: temporary_is_settled(segment))
    pod = segment.pod()
    pod.attach(families=DUAL, net=int(subnet.split(".")[1]))
    pod.coordinator()
    pod.coordinator("CHECK")
    for family in DUAL:
        mine = own(pod, "eth0", family)
        with server(pod.space, mine, 8080):
            assert ask(segment.node, mine, 8080) == (NODE[family], mine)
    for address in ("10.6.0.99/16", "fd00:10:6::99/64"):  # it moves to another node
        segment.node.run(f"ip addr del {address} dev eth0", check=False)
    pod.coordinator("CHECK")


def more(pod: Pod, dev: str, *, listed: bool, number: int = 8) -> None:
    """Give an interface one more address of each family; listed: IPAM gave it."""
    net = 6 if dev == "eth0" else 7
    for address in (f"10.{net}.3.{number}/16", f"fd00:10:{net}::3:{number}/64"):
        pod.space.run(f"ip addr add {address} dev {dev} {'nodad' if ':' in address else ''}")
        if listed:
            index = pod.results[dev]["ips"][0]["interface"]
            pod.results[dev]["ips"].append({"address": address, "interface": index})


def seen_as(pod: Pod, segment: Segment, family: int) -> str:
    with server(segment.node, NODE[family], 10250):
        answer = ask(pod.space, NODE[family], 10250)
    assert answer is not None
    return answer[0]


def test_the_first_address_of_ipam_is_the_source(pod: Pod, segment: Segment) -> None:
    pod.attach(families=DUAL)
    more(pod, "eth0", listed=True)
    pod.coordinator()
    for family in DUAL:
        assert seen_as(pod, segment, family) == own(pod, "eth0", family)
        for address in (entry["address"].split("/")[0] for entry in pod.results["eth0"]["ips"]):
            if (":" in address) == (family == 6):
                with server(pod.space, address, 8080):
                    assert ask(segment.node, address, 8080) == (NODE[family], address)
    pod.coordinator("CHECK")


@pytest.mark.parametrize("beside", [False, True], ids=["underlay", "overlay"])
def test_an_address_that_the_pod_takes_later_changes_nothing(
    pod: Pod, segment: Segment, beside: bool
) -> None:
    """As a keepalived in the pod does."""
    if beside:
        overlay.connect(pod)
    else:
        pod.attach(families=DUAL)
        pod.coordinator()
    pod.attach("net1", families=DUAL, net=7)
    pod.coordinator("ADD", "net1")
    before = [pod.space.routes(family, "all") for family in DUAL]
    sources = [seen_as(pod, segment, family) for family in DUAL]
    devs = ("net1",) if beside else ("eth0", "net1")
    for dev in devs:
        more(pod, dev, listed=False)
    assert [seen_as(pod, segment, family) for family in DUAL] == sources
    for dev in devs:
        pod.coordinator("CHECK", dev)
        for family in DUAL:
            net = 6 if dev == "eth0" else 7
            address = f"10.{net}.3.8/16" if family == 4 else f"fd00:10:{net}::3:8/64"
            pod.space.run(f"ip addr del {address} dev {dev}")
    assert [pod.space.routes(family, "all") for family in DUAL] == before
