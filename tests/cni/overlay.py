"""A cluster network such as Calico's: eth0 is a veth whose other end is named cali on the node."""

from tests.cni.topology import Pod

PEER_MAC = "ee:ee:ee:ee:ee:ee"
IPV4, IPV6 = "10.233.70.5", "fd85:ee78::5"
GATEWAY = {4: "169.254.1.1", 6: "fe80::ecee:eeff:feee:eeee"}


def connect(
    pod: Pod,
    *,
    families: tuple[int, ...] = (4, 6),
    gateway: bool = True,
    ipv4: str = IPV4,
    ipv6: str = IPV6,
) -> None:
    """Give the pod its cluster network's interface, as Calico lays it out."""
    node, space, name = pod.segment.node, pod.space, peer(pod)
    node.run(f"ip link add {name} type veth peer name eth0 netns {space.name}")
    node.run(f"ip link set {name} address {PEER_MAC} up")
    space.run("ip link set eth0 up")
    if 4 in families:
        space.run(f"ip addr add {ipv4}/32 dev eth0")
        node.run(f"ip route add {ipv4} dev {name}")
        node.run(f"sysctl -qw net.ipv4.conf.{name}.proxy_arp=1")
        if gateway:
            space.run(f"ip route add {GATEWAY[4]} dev eth0 scope link")
            space.run(f"ip route add default via {GATEWAY[4]} dev eth0")
            space.run(f"ip neigh add {GATEWAY[4]} lladdr {PEER_MAC} dev eth0 nud permanent")
    if 6 in families:
        space.run(f"ip -6 addr add {ipv6}/128 dev eth0 nodad")
        node.run(f"ip -6 addr add {GATEWAY[6]}/64 dev {name} nodad", check=False)
        node.run(f"ip -6 route add {ipv6} dev {name}")
        if gateway:
            space.run(f"ip -6 route add default via {GATEWAY[6]} dev eth0")


def peer(pod: Pod) -> str:
    """Return the name of the node's end."""
    return "cali" + pod.container[:11]
