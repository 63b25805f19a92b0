"""What must flow between a pod, its node, services and who is outside, whatever the underlay is."""

from dataclasses import dataclass

from tests.cni.routing import own
from tests.cni.topology import NODE_IPV4, NODE_IPV6, Pod
from tests.cni.traffic import ask, pings, server
from tests.istio.bed import services
from tests.istio.cells import Family

NODE: dict[Family, str] = {4: NODE_IPV4, 6: NODE_IPV6}
SELF: dict[Family, str] = {4: "10.233.0.7", 6: "fd85:ee79::7"}
OTHER: dict[Family, str] = {4: "10.233.0.8", 6: "fd85:ee79::8"}
NODE_PORT = 30080


@dataclass(frozen=True)
class Scene:
    """Two pods of one network, and the addresses by which the machine outside is known to them."""

    pod: Pod
    other: Pod
    outside: dict[Family, str]
    dev: str = "eth0"
    families: tuple[Family, ...] = (4, 6)
    wired: bool = True  # the underlay itself carries frames


def traffic(scene: Scene) -> None:
    """Assert that everything reaches everything, with the addresses that it must be seen with."""
    entries: list[tuple[Family, str, int, str]] = []
    for family in scene.families:
        mine, theirs = (own(each, scene.dev, family) for each in (scene.pod, scene.other))
        entries += [
            (family, SELF[family], 80, mine),
            (family, OTHER[family], 80, theirs),
            (family, NODE[family], NODE_PORT, mine),
        ]
    for table in ("ip", "ip6"):
        scene.pod.segment.node.run(f"nft delete table {table} proxy", check=False)
    services(scene.pod.segment, entries)
    for family in scene.families:
        _inwards(scene, family)
        _outwards(scene, family)


def _inwards(scene: Scene, family: Family) -> None:
    segment, mine = scene.pod.segment, own(scene.pod, scene.dev, family)
    assert pings(segment.node, mine)
    with server(scene.pod.space, mine, 8080):
        assert ask(segment.node, mine, 8080) == (NODE[family], mine)
        if scene.wired:
            assert ask(segment.lan, mine, 8080) == (scene.outside[family], mine)
        # The client's address is kept, so the answer has to find back through the node.
        answer = ask(segment.lan, NODE[family], NODE_PORT)
        assert answer is not None
        assert answer[1] == mine
        assert ask(scene.pod.space, SELF[family], 80) == (NODE[family], mine)


def _outwards(scene: Scene, family: Family) -> None:
    segment = scene.pod.segment
    mine, theirs = (own(each, scene.dev, family) for each in (scene.pod, scene.other))
    with server(segment.node, NODE[family], 10250):
        assert ask(scene.pod.space, NODE[family], 10250) == (mine, NODE[family])
    with server(scene.other.space, theirs, 8080):
        if scene.wired:
            assert ask(scene.pod.space, theirs, 8080) == (mine, theirs)
        assert ask(scene.pod.space, OTHER[family], 80) == (mine, theirs)
        assert ask(segment.node, OTHER[family], 80) is not None


def left_on_the_node(scene: Scene) -> list[str]:
    """Return the routes of the pods' table and the neighbours that the node still has."""
    node = scene.pod.segment.node
    found: list[str] = []
    for family in scene.families:
        found += [*node.routes(family, 500), *node.neighbours(family)]
    return found
