"""Underlay mode, first interface: what flows."""

import pytest

from tests.cni.topology import LAN_IPV4, LAN_IPV6, NODE_IPV4, NODE_IPV6, Pod, Segment
from tests.cni.traffic import ask, pings, server

CLUSTER_IP = {4: "10.233.0.7", 6: "fd85:ee79::7"}
NODE_IP = {4: NODE_IPV4, 6: NODE_IPV6}
LAN_IP = {4: LAN_IPV4, 6: LAN_IPV6}
both = pytest.mark.parametrize("family", [4, 6])


def own(pod: Pod, family: int) -> str:
    return pod.ipv4() if family == 4 else pod.ipv6()


def translate(segment: Segment, family: int, old: str, new: str) -> None:
    """Translate a destination on the node, as kube-proxy does for a Service."""
    table, word = ("ip", "ip") if family == 4 else ("ip6", "ip6")
    target = new if family == 4 else f"[{new}]"
    segment.node.run(
        "nft -f -",
        stdin=f"""
        table {table} proxy {{
            chain pre {{ type nat hook prerouting priority -100;
                        {word} daddr {old} tcp dport 80 dnat to {target}:8080; }}
            chain out {{ type nat hook output priority -100;
                        {word} daddr {old} tcp dport 80 dnat to {target}:8080; }}
        }}""",
    )


@both
def test_node_and_pod_reach_each_other(pod: Pod, family: int) -> None:
    pod.attach(families=(4, 6))
    node, ip = pod.segment.node, own(pod, family)
    assert ask(node, ip, 8080, deadline=1) is None
    pod.coordinator()
    with server(pod.space, ip, 8080):
        assert ask(node, ip, 8080) == (NODE_IP[family], ip)
    with server(node, NODE_IP[family], 10250):
        assert ask(pod.space, NODE_IP[family], 10250) == (ip, NODE_IP[family])
    assert "dev veth0" in pod.space.route_get(NODE_IP[family], family)
    assert pings(node, ip)
    assert pings(pod.space, NODE_IP[family])


@both
def test_pod_reaches_a_service_through_the_node(pod: Pod, segment: Segment, family: int) -> None:
    pod.attach(families=(4, 6))
    backend = segment.pod()
    backend.attach(families=(4, 6))
    for each in (pod, backend):
        each.coordinator()
    translate(segment, family, CLUSTER_IP[family], own(backend, family))
    with server(backend.space, own(backend, family), 8080):
        assert ask(pod.space, CLUSTER_IP[family], 80) == (own(pod, family), own(backend, family))
        assert ask(segment.node, CLUSTER_IP[family], 80) is not None


@both
def test_pod_reaches_itself_through_its_service(pod: Pod, segment: Segment, family: int) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator()
    ip, word = own(pod, family), "ip" if family == 4 else "ip6"
    translate(segment, family, CLUSTER_IP[family], ip)
    chain = "{ type nat hook postrouting priority 100 ; }"
    segment.node.run(f"nft add chain {word} proxy post {chain}")
    segment.node.run(
        f"nft add rule {word} proxy post {word} saddr {ip} {word} daddr {ip} masquerade"
    )
    with server(pod.space, ip, 8080):
        assert ask(pod.space, CLUSTER_IP[family], 80) == (NODE_IP[family], ip)


@both
@pytest.mark.parametrize("strict", ["0", "1"])
def test_replies_to_a_preserved_client_address_return_through_the_node(
    segment: Segment, family: int, strict: str
) -> None:
    segment.node.run(f"sysctl -qw net.ipv4.conf.default.rp_filter={strict}")
    pod = segment.pod()
    pod.space.run(f"sysctl -qw net.ipv4.conf.default.rp_filter={strict}")
    pod.attach(families=(4, 6))
    pod.coordinator()
    ip = own(pod, family)
    translate(segment, family, NODE_IP[family], ip)
    with server(pod.space, ip, 8080):
        assert ask(segment.lan, NODE_IP[family], 80) == (LAN_IP[family], ip)
    pod.space.run(f"nft delete table {'ip' if family == 4 else 'ip6'} spidercoordinator")
    with server(pod.space, ip, 8080):
        assert ask(segment.lan, NODE_IP[family], 80, deadline=1) is None


def redirect(pod: Pod, family: int) -> None:
    program = "iptables" if family == 4 else "ip6tables"
    pod.space.run(f"{program} -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 15006")


def test_iptables_redirect_works_with_the_link_address(pod: Pod, segment: Segment) -> None:
    pod.attach()
    pod.coordinator()
    redirect(pod, 4)
    with server(pod.space, "0.0.0.0", 15006):
        assert ask(segment.node, pod.ipv4(), 80, deadline=1) is None
        pod.coordinator("DEL")
        pod.coordinator(vethLinkAddress="169.254.100.1")
        assert ask(segment.node, pod.ipv4(), 80) == (NODE_IPV4, "169.254.100.1")


@pytest.mark.parametrize("mode", ["0", "1"])
def test_ip6tables_redirect_works_at_once(pod: Pod, segment: Segment, mode: str) -> None:
    pod.attach(families=(6,))
    pod.space.run(f"sysctl -qw net.ipv6.conf.default.addr_gen_mode={mode}")
    pod.space.run("sysctl -qw net.ipv6.conf.default.accept_dad=1")
    redirect(pod, 6)
    with server(pod.space, "::", 15006):
        pod.coordinator()
        answer = ask(segment.node, pod.ipv6(), 80, deadline=0.9)
    assert answer is not None
    assert answer[1].startswith("fe80:")


def test_marks_of_applications_are_kept(pod: Pod) -> None:
    pod.attach()
    pod.coordinator()
    pod.space.run(
        "nft -f -",
        stdin="""
        table ip probe {
            counter marked { }
            chain out { type filter hook output priority 0; meta mark 5 counter name marked; }
        }""",
    )
    pod.space.run(f"ping -c 1 -W 2 -m 5 {LAN_IPV4}")
    assert "packets 1" in pod.space.run("nft list counter ip probe marked")


def test_the_mark_bit_is_added_to_the_marks_of_a_proxy(pod: Pod, segment: Segment) -> None:
    pod.attach()
    pod.coordinator()
    pod.space.run(
        "nft -f -",
        stdin="""
        table ip probe {
            counter both { }
            chain out {
                type filter hook output priority 0;
                meta mark 0x20000539 counter name both;
            }
        }""",
    )
    with server(pod.space, pod.ipv4(), 8080, mark=0x539):
        assert ask(segment.node, pod.ipv4(), 8080) is not None
    assert "packets 0" not in pod.space.run("nft list counter ip probe both")
