"""A virtual machine in the pod (KubeVirt, masquerade): its replies are forwarded by the pod."""

from collections.abc import Iterator

import pytest

from tests.cni.namespace import Json, Namespace
from tests.cni.routing import DUAL, own
from tests.cni.test_strange_routes import kept_client, node_port
from tests.cni.topology import NODE_IPV4, NODE_IPV6, Pod, Segment
from tests.cni.traffic import ask, server

NODE = {4: NODE_IPV4, 6: NODE_IPV6}
INSIDE = {4: ("10.0.2.1", "10.0.2.2", 24), 6: ("fd10:0:2::1", "fd10:0:2::2", 120)}


@pytest.fixture(params=[None, "169.254.100.1", "1.2.3.4", "fe80::64", "2001:db8:77::1"])
def section(request: pytest.FixtureRequest) -> Json:
    """What veth0 has: masquerading takes an address of the link that a packet leaves by."""
    return {"vethLinkAddress": request.param}


@pytest.fixture
def machine(pod: Pod, section: Json) -> Iterator[Namespace]:
    """A machine behind the pod, whose ports are the pod's and whose address is translated."""
    pod.attach(families=DUAL)
    pod.coordinator(**section)
    made = Namespace(f"{pod.space.name}-vm")
    made.create()
    try:
        pod.space.run(f"ip link add k6t-eth0 type veth peer name eth0 netns {made.name}")
        pod.space.run("ip link set k6t-eth0 up")
        made.run("ip link set eth0 up")
        pod.space.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        for family, (router, guest, length) in INSIDE.items():
            flag = "nodad" if family == 6 else ""
            pod.space.run(f"ip -{family} addr add {router}/{length} dev k6t-eth0 {flag}")
            made.run(f"ip -{family} addr add {guest}/{length} dev eth0 {flag}")
            made.run(f"ip -{family} route add default via {router}")
            word, target = ("ip", guest) if family == 4 else ("ip6", f"[{guest}]")
            pod.space.run(
                "nft -f -",
                stdin=f"""
                table {word} machine {{
                    chain pre {{ type nat hook prerouting priority -100;
                        iifname != "k6t-eth0" tcp dport 8080 dnat to {target}:8080; }}
                    chain post {{ type nat hook postrouting priority 100;
                        {word} saddr {guest} masquerade; }}
                }}""",
            )
        yield made
    finally:
        made.delete()


@pytest.mark.parametrize("family", DUAL)
def test_a_machine_in_the_pod_answers_clients_whose_address_was_kept(
    segment: Segment, pod: Pod, section: Json, machine: Namespace, family: int
) -> None:
    client = kept_client(segment, family)
    node_port(segment, family, own(pod, "eth0", family))
    guest = INSIDE[family][1]
    with server(machine, guest, 8080):
        assert ask(segment.lan, NODE[family], 30080) == (client, guest)
        assert ask(segment.node, own(pod, "eth0", family), 8080) == (NODE[family], guest)
    with server(segment.node, NODE[family], 10250):
        seen = ask(machine, NODE[family], 10250)
    assert seen == (own(pod, "eth0", family), NODE[family])
    pod.coordinator("CHECK", **section)
