import pytest

from testbed import topology
from testbed.errors import TestbedError


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, 1), ({"TESTBED_NODES": ""}, 1), ({"TESTBED_NODES": "2"}, 2), ({"TESTBED_NODES": "9"}, 9)],
)
def test_number_of_nodes(environment: dict[str, str], expected: int) -> None:
    assert topology.wanted_count(environment) == expected


@pytest.mark.parametrize("value", ["0", "10", "-1", "two", "1.5"])
def test_a_wrong_number_is_refused_by_name_and_value(value: str) -> None:
    with pytest.raises(TestbedError, match=rf"TESTBED_NODES='{value}'.*1 to 9"):
        topology.wanted_count({"TESTBED_NODES": value})


def test_nodes_have_addresses_of_the_underlay_apart_from_the_gateway() -> None:
    nodes = topology.nodes(topology.MOST_NODES)
    addresses = {node.address for node in nodes}
    assert len(addresses) == len(nodes)
    assert topology.GATEWAY not in addresses
    assert all(address in topology.UNDERLAY for address in addresses)


def test_ranges_do_not_overlap() -> None:
    ranges = (topology.UNDERLAY, topology.POD_CIDR, topology.SERVICE_CIDR)
    pairs = [(one, other) for one in ranges for other in ranges if one != other]
    assert not any(one.overlaps(other) for one, other in pairs)
    assert topology.CLUSTER_DNS in topology.SERVICE_CIDR
