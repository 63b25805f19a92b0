"""A cluster network such as flannel's: eth0 is a veth whose other end is a port of a bridge."""

from dataclasses import dataclass, field

from tests.cni.topology import POD_CIDRS, Pod, Segment
from tests.istio.cells import Family

GATEWAY: dict[Family, str] = {4: "10.233.70.1", 6: "fd85:ee78::1"}
_LENGTH: dict[Family, int] = {4: 24, 6: 120}


@dataclass
class Bridge:
    """The bridge of a node, with the addresses of its pods."""

    segment: Segment
    name: str = "cni0"
    addresses: dict[str, dict[Family, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the bridge."""
        node = self.segment.node
        node.run(f"ip link add {self.name} type bridge")
        for family, address in GATEWAY.items():
            quick = " nodad" if family == 6 else ""
            node.run(f"ip -{family} addr add {address}/{_LENGTH[family]} dev {self.name}{quick}")
        node.run(f"ip link set {self.name} up")

    def connect(self, pod: Pod, *, default: bool = True) -> None:
        """Give a pod its eth0, with the routes of flannel's plugin."""
        number = 11 + len(self.addresses)
        mine: dict[Family, str] = {4: f"10.233.70.{number}", 6: f"fd85:ee78::{number}"}
        self.addresses[pod.container] = mine
        node, space, port = self.segment.node, pod.space, self.port(pod)
        node.run(f"ip link add {port} type veth peer name eth0 netns {space.name}")
        node.run(f"ip link set {port} master {self.name} up")
        space.run("ip link set eth0 up")
        for family, address in mine.items():
            quick = " nodad" if family == 6 else ""
            via = f"via {GATEWAY[family]} dev eth0"
            space.run(f"ip -{family} addr add {address}/{_LENGTH[family]} dev eth0{quick}")
            space.run(f"ip -{family} route add {POD_CIDRS[family == 6]} {via}")
            if default:
                space.run(f"ip -{family} route add default {via}")

    def port(self, pod: Pod) -> str:
        """Return the node's end of the pod's pair."""
        return "port" + pod.container[:11]

    def address(self, pod: Pod, family: Family) -> str:
        """Return the address that Kubernetes knows."""
        return self.addresses[pod.container][family]
