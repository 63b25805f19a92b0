"""What docs/istio.md's table says of a real mesh, as data. No I/O."""

from dataclasses import dataclass
from itertools import product

REDIRECT, TPROXY, NFTABLES = "redirect", "tproxy", "nftables"
INIT_CONTAINER, ISTIO_CNI = "init", "cni"
MODES = tuple(product((REDIRECT, TPROXY, NFTABLES), (INIT_CONTAINER, ISTIO_CNI)))
"""How the mesh redirects, and what programs its rules."""

UNDERLAY, OVERLAY = "underlay", "overlay"
LAYOUTS = (UNDERLAY, OVERLAY)
ADDRESS = "169.254.100.1"


@dataclass(frozen=True)
class Cell:
    """An application.

    Attributes:
        mode: how the mesh redirects.
        rules_by: what programs the rules for it.
        layout: which network is its first.
        address: that of veth0.
    """

    mode: str
    rules_by: str
    layout: str
    address: str

    @property
    def name(self) -> str:
        """The application's pod and service."""
        by = "" if self.rules_by == INIT_CONTAINER else f"-{self.rules_by}"
        return f"{self.mode}{by}-{self.network}"

    @property
    def network(self) -> str:
        """The SpiderMultusConfig that it is attached to."""
        return f"{self.layout}-{'set' if self.address else 'unset'}"

    @property
    def lacks_address(self) -> bool:
        """Whether what comes in on its veth0 is dropped once it is redirected."""
        return self.layout == UNDERLAY and self.mode != TPROXY and not self.address


def cells() -> list[Cell]:
    """Return every combination."""
    return [
        Cell(*mode, layout, address)
        for mode, layout, address in product(MODES, LAYOUTS, ("", ADDRESS))
    ]


@dataclass(frozen=True)
class Direction:
    """A row of the table: where a request to or from an application comes from."""

    name: str
    by_veth0: bool = False
    """A star in the table: it comes in on veth0 of a pod whose first interface is an underlay."""
    identity: str = ""
    """Whose certificate the proxy sees; "" for a request in plain text."""
    layouts: tuple[str, ...] = LAYOUTS

    def is_lost(self, cell: Cell) -> bool:
        """Whether a request this way gets no answer."""
        return self.by_veth0 and cell.lacks_address


NODE = Direction("from the node", by_veth0=True)
NODE_TO_NET1 = Direction("from the node, to net1", layouts=(OVERLAY,))
CLUSTER_PLAIN = Direction("from a pod of the cluster network, no mesh", by_veth0=True)
CLUSTER = Direction("from a pod of the cluster network", by_veth0=True, identity="client")
OTHER_NODE = Direction("from a pod of the cluster network, other node", identity="client")
SAME_UNDERLAY = Direction("from a pod of the same underlay", identity="client")
OUTSIDE = Direction("from outside, through the underlay")
NODE_PORT = Direction("from outside, by NodePort", by_veth0=True)
TO_CLUSTER_IP = Direction("from the pod, to a ClusterIP")
TO_MESH = Direction("from the pod, to another pod of the mesh", identity="app")
TO_ITSELF = Direction("from the pod, to itself by ClusterIP", by_veth0=True)
TO_ITSELF_KNOWN = Direction("the same, with the endpoint known to the proxy", identity="app")

DIRECTIONS = (
    *(NODE, NODE_TO_NET1, CLUSTER_PLAIN, CLUSTER, OTHER_NODE, SAME_UNDERLAY, OUTSIDE, NODE_PORT),
    *(TO_CLUSTER_IP, TO_MESH, TO_ITSELF, TO_ITSELF_KNOWN),
)
