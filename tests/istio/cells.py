"""The matrix as data: meshes, layouts, families, where requests come from, and what must happen.

In the table below a cell is the way that a request takes:

    out   through the proxy's port for what the pod sends (15001)
    in    through the proxy's port for what the pod receives (15006)
    hbone through the proxy's port for the mesh's own tunnels (15008)
    app   to the application, past the proxy

A star marks a way that depends on an address on the interface where the packet comes in: through
veth0, over IPv4, without vethLinkAddress, nothing comes back, because REDIRECT drops the packet.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Family: TypeAlias = Literal[4, 6]
Layout: TypeAlias = Literal["underlay", "overlay"]

TABLE = """
| Request | sidecar, REDIRECT | sidecar, TPROXY | sidecar, nftables | ambient |
|---|---|---|---|---|
| from the node | in * | in | in * | app |
| from the node, to the address of net1 | in | in | in | in |
| from a pod of the cluster network | in * | in | in * | in * |
| from a pod of the same underlay | in | in | in | in |
| from outside, through the underlay | in | in | in | in |
| from outside, by NodePort | in * | in | in * | in * |
| health probe, from 169.254.7.127 | in * | in | in * | app |
| from the pod, to a ClusterIP | out | out | out | out |
| from the pod, to another pod of the mesh | out, in | out, in | out, in | out, hbone |
| from the pod, to itself by ClusterIP | out, in * | out, in | out, in * | out, in * |
| the same, with the endpoint known to the proxy | out, in | out, in | out, in | out |
"""

DROPPED = "timed out"
"""How a request ends whose packets are dropped: not refused, not reset."""

LINK_ADDRESS = "169.254.100.1"


@dataclass(frozen=True)
class Mesh:
    """A way to redirect a pod's traffic, and the proxy that belongs to it."""

    name: str  # as the table names it
    proxy: str  # how the stand-in behaves
    arguments: tuple[str, ...]  # of Istio's program, besides the usual ones
    keeps_source: bool  # the application sees the client's address

    @property
    def ambient(self) -> bool:
        return self.proxy == "ambient"


MESHES = {
    "redirect": Mesh("sidecar, REDIRECT", "sidecar", ("-m", "REDIRECT"), keeps_source=False),
    "tproxy": Mesh("sidecar, TPROXY", "tproxy", ("-m", "TPROXY"), keeps_source=True),
    "nftables": Mesh(
        "sidecar, nftables",
        "sidecar",
        ("-m", "REDIRECT", "--native-nftables"),
        keeps_source=False,
    ),
    "ambient": Mesh("ambient", "ambient", (), keeps_source=True),
}
ADDRESSES = {"set": LINK_ADDRESS, "unset": ""}
LAYOUTS: tuple[Layout, ...] = ("underlay", "overlay")
FAMILIES: dict[str, tuple[Family, ...]] = {"IPv4": (4,), "IPv6": (6,), "dual": (4, 6)}


@dataclass(frozen=True)
class Cell:
    """One request."""

    layout: Layout
    families: str
    mesh: str
    address: str
    request: str
    family: Family

    @property
    def title(self) -> str:
        """The cell in words."""
        mesh = MESHES[self.mesh].name
        where = f"{self.layout}, {self.families}, {mesh}, address {self.address}"
        return f"{where}: {self.request}, IPv{self.family}"

    @property
    def group(self) -> tuple[Layout, str]:
        return self.layout, self.families

    @property
    def by_probe_rule(self) -> bool:
        """Whether it depends on Istio's rule for probes, which is for all that the node asks."""
        from_node = self.request == FROM_NODE and MESHES[self.mesh].ambient
        return self.request == PROBE or from_node

    @property
    def needs(self) -> set[str]:
        """What must work here: a mesh, and how it lets probes pass."""
        return {self.mesh, PROBE} if self.by_probe_rule else {self.mesh}

    @property
    def expected(self) -> str:
        """What the table says about this cell: a way, or how it fails."""
        way = WAYS[self.request][MESHES[self.mesh].name]
        bare = self.layout == "underlay" and self.family == 4 and self.address == "unset"
        return DROPPED if way.endswith("*") and bare else way.removesuffix(" *")


def _ways() -> dict[str, dict[str, str]]:
    head, _, *rows = (
        [word.strip() for word in line.strip("|").split("|")] for line in TABLE.strip().splitlines()
    )
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


WAYS = _ways()
(
    FROM_NODE,
    TO_NET1,
    FROM_CLUSTER,
    FROM_UNDERLAY,
    FROM_OUTSIDE,
    BY_NODE_PORT,
    PROBE,
    TO_SERVICE,
    TO_PEER,
    TO_ITSELF,
    TO_ITSELF_KNOWN,
) = WAYS
"""The requests, in the order of the table."""


def cells() -> list[Cell]:
    """Return all cells, those of one group one after another."""
    return [
        Cell(layout, families, mesh, address, request, family)
        for layout in LAYOUTS
        for families in FAMILIES
        for mesh in MESHES
        for address in ADDRESSES
        for request in WAYS
        for family in FAMILIES[families]
        if layout == "overlay" or request != TO_NET1
    ]
