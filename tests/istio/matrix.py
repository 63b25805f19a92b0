"""Run a group of cells: one topology with a pod for each mesh and address, all requests at once."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.cni.namespace import SLOWNESS, Namespace
from tests.cni.topology import NODE_IPV4, NODE_IPV6, Segment
from tests.istio.bed import OUTSIDE, Member, open_outside, services
from tests.istio.cells import (
    ADDRESSES,
    BY_NODE_PORT,
    DROPPED,
    FROM_CLUSTER,
    FROM_NODE,
    FROM_OUTSIDE,
    FROM_UNDERLAY,
    MESHES,
    PROBE,
    TO_ITSELF,
    TO_ITSELF_KNOWN,
    TO_NET1,
    TO_PEER,
    TO_SERVICE,
    Cell,
    Family,
    Layout,
)
from tests.istio.mesh import APP_PORT, DROPPED_AFTER, Answer, Tools

NODE: dict[Family, str] = {4: NODE_IPV4, 6: NODE_IPV6}
PROBE_SOURCE: dict[Family, str] = {
    4: "169.254.7.127",
    6: "fd16:9254:7127:1337:ffff:ffff:ffff:ffff",
}
_VIRTUAL: dict[Family, str] = {4: "10.233.", 6: "fd85:ee79::"}
_AT_ONCE = 48
SERVICE_PORT, NODE_PORTS = 80, 30_000

Key = tuple[str, str]
"""A pod of a group: its mesh and whether veth0 has an address."""


@dataclass(frozen=True)
class Trip:
    """From where to where a request goes."""

    space: Namespace
    address: str
    port: int = APP_PORT
    source: str = ""  # of the request, where it is not the namespace's usual one
    client: str = ""  # whom a proxy that keeps the source lets the application see


@dataclass
class Group:
    """The pods of one layout and set of families."""

    segment: Segment
    tools: Tools
    layout: Layout
    families: tuple[Family, ...]
    meshes: list[str]
    pods: dict[Key, Member] = field(default_factory=dict)

    def build(self) -> None:
        """Make all pods; each mesh pod gets the plugin first, then Istio's rules."""
        open_outside(self.segment)
        self.backend = Member(self.segment.pod(), self.families)
        self.neighbour = Member(self.segment.pod(), self.families)
        self.backend.join_cluster()
        self.neighbour.join_underlay("eth0")
        for mesh in self.meshes:
            for address in ADDRESSES:
                self.pods[mesh, address] = Member(self.segment.pod(), self.families)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._prepare, self.pods))
        services(self.segment, self._services())

    def _prepare(self, key: Key) -> None:
        mesh, address = key
        member = self.pods[key]
        dev = "eth0" if self.layout == "underlay" else "net1"
        if self.layout == "overlay":
            member.join_cluster()
        member.join_underlay(dev)
        member.pod.coordinator("ADD", dev, vethLinkAddress=ADDRESSES[address])
        self.tools.join(member.space, MESHES[mesh], self.families)

    def virtual(self, family: Family, member: Member, kind: int) -> str:
        """A ClusterIP that leads to a pod: of kind 1 unknown to proxies, of kind 2 known."""
        if family == 4:
            return f"{_VIRTUAL[4]}{kind}.{member.number}"
        return f"{_VIRTUAL[6]}{kind}{member.number:02}"

    def _services(self) -> list[tuple[Family, str, int, str]]:
        entries: list[tuple[Family, str, int, str]] = []
        for member in (self.backend, *self.pods.values()):
            for family in self.families:
                pod = member.address[family]
                entries += [
                    (family, self.virtual(family, member, kind), SERVICE_PORT, pod)
                    for kind in (1, 2)
                ]
                entries.append((family, NODE[family], NODE_PORTS + member.number, pod))
        return entries

    def run(self, cells: list[Cell], logs: Path) -> dict[Cell, Answer]:
        """Serve in all pods, send all requests and return the answers.

        Istio's rule for probes concerns all of the node's own connections, so those that do not
        depend on it come first.
        """
        with contextlib.ExitStack() as stack:
            self._serve(stack, logs)
            answers = self._ask([cell for cell in cells if not cell.by_probe_rule])
            probes = [cell for cell in cells if cell.by_probe_rule]
            if not probes:
                return answers
            pods = [ip for member in self.pods.values() for ip in member.address.values()]
            self.tools.probe_rules(self.segment.node, pods)
            return answers | self._ask(probes)

    def _serve(self, stack: contextlib.ExitStack, logs: Path) -> None:
        served = (self.backend, *self.pods.values())
        for member in served:
            log = logs / f"{member.space.name}-app"
            stack.enter_context(self.tools.application(member.space, log))
        for (mesh, address), member in self.pods.items():
            settings = self._settings(mesh, address)
            log = logs / f"{member.space.name}-proxy"
            stack.enter_context(self.tools.proxying(member.space, MESHES[mesh], log, *settings))

    def _settings(self, mesh: str, address: str) -> list[str]:
        member, found = self.pods[mesh, address], []
        for family in self.families:
            length = 32 if family == 4 else 128
            found += ["-peers", f"{self._sibling(mesh, address).address[family]}/{length}"]
            mark = "{}" if family == 4 else "[{}]"
            virtual = mark.format(self.virtual(family, member, 2))
            real = mark.format(member.address[family])
            found += ["-service", f"{virtual}:{SERVICE_PORT}={real}:{APP_PORT}"]
        return found

    def _sibling(self, mesh: str, address: str) -> Member:
        return self.pods[mesh, next(other for other in ADDRESSES if other != address)]

    def _ask(self, cells: list[Cell]) -> dict[Cell, Answer]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(zip(cells, pool.map(self._answer, cells), strict=True))

    def _answer(self, cell: Cell) -> Answer:
        trip = self.trip(cell)
        # Where no answer is expected, none is waited for longer because the processor is slow.
        seconds = DROPPED_AFTER * (1 if cell.expected == DROPPED else SLOWNESS)
        return self.tools.ask(trip.space, trip.address, trip.port, trip.source, seconds=seconds)

    def trip(self, cell: Cell) -> Trip:
        """Say from where to where the request of a cell goes."""
        member, family = self.pods[cell.mesh, cell.address], cell.family
        node, lan, own = self.segment.node, self.segment.lan, member.space
        mine, underlay = member.address[family], member.underlay[family]
        cluster, neighbour = self.backend, self.neighbour
        outside, gate = OUTSIDE[family], NODE[family]
        other = self._sibling(cell.mesh, cell.address).address[family]
        probing = PROBE_SOURCE[family]
        trips = {
            FROM_NODE: Trip(node, mine, client=probing if cell.by_probe_rule else gate),
            TO_NET1: Trip(node, underlay, client=gate),
            FROM_CLUSTER: Trip(cluster.space, mine, client=cluster.address[family]),
            FROM_UNDERLAY: Trip(neighbour.space, underlay, client=neighbour.address[family]),
            FROM_OUTSIDE: Trip(lan, underlay, source=outside, client=outside),
            BY_NODE_PORT: Trip(lan, gate, NODE_PORTS + member.number, outside, outside),
            PROBE: Trip(node, mine, client=probing),
            TO_SERVICE: Trip(own, self.virtual(family, cluster, 1), SERVICE_PORT),
            TO_PEER: Trip(own, other),
            TO_ITSELF: Trip(own, self.virtual(family, member, 1), SERVICE_PORT),
            TO_ITSELF_KNOWN: Trip(own, self.virtual(family, member, 2), SERVICE_PORT),
        }
        return trips[cell.request]
