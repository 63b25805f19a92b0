"""One pod of a mesh, for tests that change something about it."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from tests.cni.namespace import Namespace
from tests.cni.topology import Segment
from tests.istio.bed import Member
from tests.istio.cells import LINK_ADDRESS, MESHES, Family, Layout
from tests.istio.matrix import NODE
from tests.istio.mesh import Tools

BOTH: tuple[Family, ...] = (4, 6)


def member(
    segment: Segment, layout: Layout = "underlay", families: tuple[Family, ...] = BOTH
) -> Member:
    """Make a pod with the interfaces of a layout, before any plugin or mesh."""
    made = Member(segment.pod(), families)
    if layout == "overlay":
        made.join_cluster()
    made.join_underlay(present(layout))
    return made


def present(layout: Layout) -> str:
    """Return the interface for which the plugin is called."""
    return "eth0" if layout == "underlay" else "net1"


def add(made: Member, layout: Layout = "underlay", command: str = "ADD") -> None:
    """Call the plugin."""
    made.pod.coordinator(command, present(layout), vethLinkAddress=LINK_ADDRESS)


@contextlib.contextmanager
def serving(tools: Tools, made: Member, mesh: str) -> Iterator[None]:
    """Run an application and a proxy in a pod."""
    state: Path = made.pod.segment.state
    app, proxy = (state / f"{made.space.name}-{name}" for name in ("app", "proxy"))
    with (
        tools.application(made.space, app),
        tools.proxying(made.space, MESHES[mesh], proxy),
    ):
        yield


def ways(tools: Tools, made: Member) -> dict[str, str]:
    """Return how requests from the node, of the mesh and of the underlay, reach the pod."""
    node, found = made.pod.segment.node, {}
    for family in made.families:
        found[f"from the node, IPv{family}"] = tools.ask(node, made.address[family]).way
        lan = made.pod.segment.lan
        found[f"from the underlay, IPv{family}"] = tools.ask(lan, made.underlay[family]).way
        back = tools.ask(made.space, NODE[family], 10250)
        found[f"to the node, IPv{family}"] = back.way
    return found


def foreign(space: Namespace) -> list[str]:
    """Return all rules and tables in a namespace that are not the plugin's."""
    blocks = re.split(r"^(?=table )", space.run("nft -s list ruleset"), flags=re.MULTILINE)
    found = [block for block in blocks if " spidercoordinator " not in block]
    for family in (4, 6):
        found += [rule for rule in space.rules(family) if "proto 92" not in rule]
        found += space.routes(family, 100) + space.routes(family, 133)
    return found
