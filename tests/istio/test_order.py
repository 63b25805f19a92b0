"""Who comes first, who calls again and who leaves does not matter."""

from collections.abc import Iterator

import pytest

from tests.cni.topology import Segment
from tests.istio.cells import LAYOUTS, MESHES, Layout
from tests.istio.mesh import Tools
from tests.istio.one import BOTH, add, foreign, member, serving, ways

everywhere = pytest.mark.parametrize("layout", LAYOUTS)


@pytest.fixture(params=MESHES)
def mesh(request: pytest.FixtureRequest, missing: dict[str, str]) -> str:
    name: str = request.param
    if name in missing:
        pytest.skip(missing[name])
    return name


@pytest.fixture
def node_service(segment: Segment, tools: Tools) -> Iterator[None]:
    """Let the node answer on kubelet's port."""
    with tools.application(segment.node, segment.state / "node-app", port=10250):
        yield


def caught() -> dict[str, str]:
    """What a pod of a mesh looks like from its node and its underlay."""
    return expected("in", "out")


def expected(inwards: str, outwards: str) -> dict[str, str]:
    found = {}
    for family in BOTH:
        found[f"from the node, IPv{family}"] = inwards
        found[f"from the underlay, IPv{family}"] = inwards
        found[f"to the node, IPv{family}"] = outwards
    return found


@pytest.mark.usefixtures("node_service")
@everywhere
def test_istio_before_the_plugin(segment: Segment, tools: Tools, mesh: str, layout: Layout) -> None:
    pod = member(segment, layout)
    tools.join(pod.space, MESHES[mesh], BOTH)
    before = foreign(pod.space)
    add(pod, layout)
    assert foreign(pod.space) == before
    with serving(tools, pod, mesh):
        assert ways(tools, pod) == caught()


@pytest.mark.usefixtures("node_service")
@everywhere
def test_calls_after_istio(segment: Segment, tools: Tools, mesh: str, layout: Layout) -> None:
    pod = member(segment, layout)
    add(pod, layout)
    tools.join(pod.space, MESHES[mesh], BOTH)
    before = foreign(pod.space)
    add(pod, layout, "CHECK")
    add(pod, layout)
    add(pod, layout, "CHECK")
    assert foreign(pod.space) == before
    with serving(tools, pod, mesh):
        assert ways(tools, pod) == caught()
    add(pod, layout, "DEL")
    assert foreign(pod.space) == before


@pytest.mark.usefixtures("node_service")
@everywhere
def test_a_pod_leaves_the_mesh(segment: Segment, tools: Tools, mesh: str, layout: Layout) -> None:
    pod = member(segment, layout)
    empty = foreign(pod.space)
    add(pod, layout)
    tools.join(pod.space, MESHES[mesh], BOTH)
    assert foreign(pod.space) != empty
    tools.leave(pod.space, MESHES[mesh], BOTH)
    add(pod, layout, "CHECK")
    with serving(tools, pod, mesh):
        assert ways(tools, pod) == expected("app", "app")
