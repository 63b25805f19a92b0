"""ADD twice, ADD that fails or dies half-way, CHECK."""

import pytest

from tests.cni.test_delete import leftovers
from tests.cni.test_verbs import collect
from tests.cni.topology import NODE_IPV4, PluginCrashError, PluginError, Pod, Segment
from tests.cni.traffic import pings

DUAL = (4, 6)


def snapshot(pod: Pod) -> list[str]:
    """Return everything that an ADD could have made twice or left behind in the pod."""
    found: list[str] = []
    for family in (4, 6):
        found += pod.space.rules(family) + pod.space.neighbours(family)
        found += pod.space.routes(family, "all")
    found += pod.space.run("nft list ruleset").splitlines()
    found += [f"{link['ifname']} {link['address']}" for link in pod.space.ip("link show")]
    return sorted(line for line in found if "fe80::" not in line and "ff00::" not in line)


def test_stale_entries_of_the_node_are_replaced(pod: Pod, segment: Segment) -> None:
    pod.attach()
    node, ip = segment.node, pod.ipv4()
    node.run("ip link add old type bridge")
    node.run("ip link set old up")
    node.run(f"ip neigh add {ip} lladdr 02:00:00:00:00:01 dev old nud permanent")
    node.run(f"ip route add {ip}/32 dev old table 500")
    node.run("ip route add 10.6.9.9/32 dev old table 500")
    pod.coordinator()
    assert [entry.split()[2] for entry in node.neighbours() if entry.startswith(ip)] == [
        pod.host_veth
    ]
    assert [route for route in node.routes(4, 500) if route.startswith(ip)] == [
        f"{ip} dev {pod.host_veth} proto 92 scope link src {NODE_IPV4}"
    ]
    assert "10.6.9.9 dev old scope link" in node.routes(4, 500)
    assert pings(node, ip)


def test_add_twice_gives_the_same_state(pod: Pod, segment: Segment) -> None:
    pod.attach(families=DUAL)
    pod.coordinator(vethLinkAddress="169.254.100.1")
    once = snapshot(pod), leftovers(segment, pod)
    pod.coordinator(vethLinkAddress="169.254.100.1")
    assert (snapshot(pod), leftovers(segment, pod)) == once
    assert pings(segment.node, pod.ipv4())
    assert pings(pod.space, NODE_IPV4)


def fail_at(pod: Pod, step: int, dev: str = "eth0") -> str:
    """Let an ADD fail in a step and return its message; nothing when it has fewer steps."""
    try:
        pod.coordinator("ADD", dev, env={"COORDINATOR_FAIL_AT": str(step)})
    except PluginError as error:
        return error.msg
    return ""


def dies_at(pod: Pod, step: int) -> bool:
    """Let an ADD die before a step; False when it has fewer steps."""
    try:
        pod.coordinator(env={"COORDINATOR_DIE_AT": str(step)})
    except PluginCrashError:
        return True
    return False


def test_failing_in_any_step_rolls_back(pod: Pod, segment: Segment) -> None:
    pod.attach(families=DUAL)
    before = snapshot(pod)
    failed = 0
    while message := fail_at(pod, failed):
        failed += 1
        assert "injected fault" in message
        assert "pod default/web, interface eth0" in message
        assert leftovers(segment, pod) == []
        assert snapshot(pod) == before
    assert failed > 20
    assert pings(segment.node, pod.ipv4())


@pytest.mark.parametrize("remedy", ["ADD", "DEL", "GC"])
def test_dying_in_any_step_leaves_nothing_that_the_next_call_cannot_mend(
    pod: Pod, segment: Segment, remedy: str
) -> None:
    pod.attach(families=DUAL)
    pod.coordinator()
    complete = snapshot(pod)
    pod.coordinator("DEL")
    died = 0
    while dies_at(pod, died):
        died += 1
        if remedy == "GC":
            # before it has its alias nobody but DEL can know whose the link is
            link = segment.node.link(pod.host_veth)
            if link and "ifalias" not in link:
                pod.coordinator("DEL")
            collect(pod, [])
        else:
            pod.coordinator(remedy)
        if remedy == "ADD":
            pod.coordinator("CHECK")
            assert snapshot(pod) == complete
            pod.coordinator("DEL")
        assert leftovers(segment, pod) == []
    assert died > 12


DAMAGE = {
    "ip link set veth0 mtu 1300": "MTU of veth0",
    "ip rule del pref 1000": "rule pref 1000",
    "ip route del 10.233.0.0/18": "10.233.0.0/18",
    "ip route flush table 5000": "table 5000",
    f"ip neigh del {NODE_IPV4} dev veth0": f"neighbour {NODE_IPV4}",
    "ip addr del 169.254.100.1/32 dev veth0": "169.254.100.1/32",
    "nft delete table ip spidercoordinator": "nftables table ip spidercoordinator",
    "nft flush chain ip spidercoordinator output": "nftables table ip spidercoordinator",
    "sysctl -qw net.ipv4.conf.all.rp_filter=1": "net.ipv4.conf.all.rp_filter",
    "ip link del veth0": "veth0",
}


@pytest.mark.parametrize("command", DAMAGE)
def test_check_names_what_differs_in_the_pod(pod: Pod, command: str) -> None:
    pod.attach()
    pod.coordinator(vethLinkAddress="169.254.100.1")
    pod.coordinator("CHECK", vethLinkAddress="169.254.100.1")
    pod.space.run(command)
    with pytest.raises(PluginError) as error:
        pod.coordinator("CHECK", vethLinkAddress="169.254.100.1")
    assert DAMAGE[command] in error.value.msg
    pod.coordinator(vethLinkAddress="169.254.100.1")
    pod.coordinator("CHECK", vethLinkAddress="169.254.100.1")


@pytest.mark.parametrize("what", ["rule", "route", "neigh"])
def test_check_names_what_differs_on_the_node(pod: Pod, what: str) -> None:
    pod.attach()
    pod.coordinator()
    veth, ip = pod.host_veth, pod.ipv4()
    command, word = {
        "rule": ("ip rule del pref 1000", "IPv4 rule pref 1000"),
        "route": (
            f"ip route del {ip} table 500",
            f"route {ip}/32 dev {veth} src {NODE_IPV4} table 500",
        ),
        "neigh": (f"ip neigh del {ip} dev {veth}", f"neighbour {ip}"),
    }[what]
    pod.segment.node.run(command)
    with pytest.raises(PluginError) as error:
        pod.coordinator("CHECK")
    assert word in error.value.msg
    assert "of the node" in error.value.msg or "to the node" in error.value.msg


def test_check_names_a_service_cidr_added_after_add(pod: Pod) -> None:
    pod.attach()
    pod.coordinator()
    later = ["10.233.0.0/18", "10.234.0.0/18"]
    with pytest.raises(PluginError, match=r"needs: add route 10.234.0.0/18 via"):
        pod.coordinator("CHECK", serviceCIDR=later)
    pod.coordinator(serviceCIDR=later)
    pod.coordinator("CHECK", serviceCIDR=later)
