"""What vethLinkAddress is for: a mesh's REDIRECT needs an address where packets come in."""

from collections.abc import Callable

import pytest

from testbed.demo.checks import answered_by, is_dropped
from testbed.demo.parse import answer
from tests.e2e.conftest import MakeNetwork, MakePod, Mesh
from tests.e2e.manifests import APP_PORT, PROXY_PORT

ADDRESS = "169.254.100.1"

SetAddress = Callable[[str], None]


def test_without_address_what_is_redirected_is_dropped(
    network: MakeNetwork, pod: MakePod, mesh: Mesh, cluster_address: SetAddress
) -> None:
    cluster_address("")
    made = pod("without", network("without"))
    assert answered_by(APP_PORT)(mesh.ask(made)) is None
    mesh.take_in("without")
    assert is_dropped(mesh.ask(made)) is None


@pytest.mark.parametrize(
    ("own", "cluster_wide"),
    [({"vethLinkAddress": ADDRESS}, ""), ({}, ADDRESS)],
    ids=["address of the network", "address of the cluster"],
)
def test_with_address_the_proxy_takes_it(
    pod: MakePod, mesh: Mesh, given: str, own: dict[str, str], cluster_wide: str
) -> None:
    assert own or cluster_wide
    made = pod("with", given)
    mesh.take_in("with")
    result = mesh.ask(made)
    assert answered_by(PROXY_PORT)(result) is None
    destination = answer(result.output)["original-destination"]
    assert destination == f"{made['status']['podIP']}:{APP_PORT}"


@pytest.fixture
def given(
    network: MakeNetwork, cluster_address: SetAddress, own: dict[str, str], cluster_wide: str
) -> str:
    """A network on a cluster, with the addresses that the test's parameters say."""
    cluster_address(cluster_wide)
    return network("with", coordinator=own)
