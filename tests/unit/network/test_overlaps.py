"""Networks that give out the same addresses, all of them at once."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.api.objects import Name, Object
from spidercoordinator.api.scalars import parse_network
from spidercoordinator.core.network.addressrange import AddressRange
from spidercoordinator.core.network.conditions import network_conditions
from spidercoordinator.core.network.overlaps import Claim, overlapping
from spidercoordinator.core.network.rangeindex import RangeIndex
from spidercoordinator.core.network.sharing import AddressPool, shared_range
from spidercoordinator.core.network.validation import parse
from spidercoordinator.core.status.warnings import DEGRADED

SUBNETS = ("10.6.0.0/24", "fd00::/120")


def pool(number: int, kind: str, store: str, links: set[str], *ranges: AddressRange) -> AddressPool:
    stored = store if kind == "host-local" else ""
    return AddressPool(
        ("ns", f"n{number:02}"), kind, stored, frozenset((each, 0) for each in links), ranges
    )


@st.composite
def address_range(draw: st.DrawFn) -> AddressRange:
    subnet = parse_network(draw(st.sampled_from(SUBNETS)))
    assert subnet is not None
    first = draw(st.integers(0, 40))
    last = first + draw(st.integers(0, 12))
    return AddressRange("range", subnet, subnet[first], subnet[last])


@st.composite
def pools(draw: st.DrawFn) -> list[AddressPool]:
    return [
        pool(
            number,
            draw(st.sampled_from(("host-local", "host-local", "whereabouts", "static"))),
            draw(st.sampled_from(("one", "two", f"own-{number}"))),
            draw(st.sets(st.sampled_from(("eth0", "eth1")), min_size=1)),
            *draw(st.lists(address_range(), max_size=3)),
        )
        for number in range(draw(st.integers(0, 9)))
    ]


@given(pools())
def test_agrees_with_a_comparison_of_each_with_each(every: list[AddressPool]) -> None:
    by_link: dict[tuple[str, int], list[Claim]] = defaultdict(list)
    for each in every:
        for part in each.ranges:
            for name, _ in each.links:
                by_link[name, part.subnet.version].append(Claim.of(each, part))
    found = set[Name]()
    for claims in by_link.values():
        for claim, partner in overlapping(sorted(claims, key=attrgetter("order"))):
            assert claim.range.overlaps(partner.range)
            assert shared_range(claim.pool, [partner.pool]) is not None
            found.add(claim.pool.network)
    assert found == {each.network for each in every if shared_range(each, every)}


def net(name: str, ipam: Object | None, master: str = "eth0") -> Object:
    spec: Object = {"cniType": "macvlan", "macvlan": {"master": [master]}}
    meta = {"name": name, "namespace": "ns"}
    return {"metadata": meta, "spec": spec | ({"ipam": ipam} if ipam else {})}


def host_local(third: int) -> Object:
    return {"type": "host-local", "ranges": [[{"subnet": f"10.6.{third}.0/24"}]]}


class Cluster:
    """Networks by name, and an index over them that is told of each change."""

    def __init__(self, *networks: Object) -> None:
        self.index, self.networks, self.clock = RangeIndex(), dict[Name, Object](), 0.0
        self.default: dict[str, Any] = {}
        for each in networks:
            self.put(each)
        self.compare()

    def put(self, network: Object) -> None:
        self.networks["ns", network["metadata"]["name"]] = network
        self.index.update(network)

    def remove(self, name: str) -> None:
        del self.networks["ns", name]
        self.index.remove(("ns", name))

    def compare(self) -> set[str]:
        """The names of the networks of which something else holds now."""
        self.clock += 10
        self.index.follow(self.default, self.networks)
        assert self.index.due(self.clock)
        return {name for _, name in self.index.compare(self.clock)}

    @property
    def found(self) -> dict[str, str]:
        """What is said of networks."""
        said = {name: self.index.overlap(("ns", name)) for _, name in self.networks}
        return {name: text for name, text in said.items() if text}


def test_both_are_told_and_both_are_well_once_one_is_mended() -> None:
    cluster = Cluster(net("a", host_local(0)), net("b", host_local(0)), net("c", host_local(1)))
    assert cluster.found.keys() == {"a", "b"}
    assert "ns/b on the same link" in cluster.found["a"]
    assert "ns/a on the same link" in cluster.found["b"]
    cluster.put(net("b", host_local(2)))
    assert cluster.compare() == {"a", "b"}
    assert cluster.found == {}


def test_a_network_that_goes_is_not_named_any_more() -> None:
    cluster = Cluster(net("a", host_local(0)), net("b", host_local(0)))
    cluster.remove("a")
    assert cluster.compare() == {"a", "b"}
    assert cluster.found == {}


@pytest.mark.parametrize("change", ["first", "middle", "last"])
def test_among_many_of_one_range_a_change_concerns_its_neighbours(change: str) -> None:
    count = 300
    cluster = Cluster(*(net(f"n{number:03}", host_local(0)) for number in range(count)))
    assert len(cluster.found) == count
    name = {"first": "n000", "middle": "n150", "last": f"n{count - 1}"}[change]
    cluster.remove(name)
    assert len(cluster.compare()) <= 3
    cluster.put(net(name, host_local(0)))
    assert len(cluster.compare()) <= 3
    assert len(cluster.found) == count


def test_another_default_concerns_the_networks_that_name_none() -> None:
    cluster = Cluster(net("a", None), net("b", None), net("c", host_local(7)))
    assert cluster.found == {}
    cluster.default = host_local(0)
    assert cluster.compare() == {"a", "b"}
    cluster.remove("a")
    cluster.default = {}
    assert cluster.compare() == {"a", "b"}
    assert cluster.found == {}


def test_it_is_due_at_once_and_then_once_a_second() -> None:
    index = RangeIndex()
    assert index.due(100.0)
    index.compare(100.0)
    assert not index.due(105.0)
    index.update(net("a", host_local(0)))
    assert index.due(105.0)
    index.compare(105.0)
    index.update(net("a", host_local(0)))
    assert not index.due(109.0)
    index.update(net("a", host_local(1)))
    assert not index.due(105.5)
    assert index.due(106.0)
    index.compare(106.0)
    index.follow(host_local(3), {})
    assert index.due(106.1)


def test_the_condition_names_the_field() -> None:
    meta = {"uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    given = net("a", {"type": "whereabouts", "range": "10.6.0.0/24"})
    spec = parse({**given, "metadata": {**given["metadata"], **meta}}).spec
    [degraded] = [
        each for each in network_conditions(spec, None, overlap="so") if each.type == DEGRADED
    ]
    assert (degraded.reason, degraded.message) == ("RangeOverlap", "spec.ipam: so")
    assert DEGRADED not in {each.type for each in network_conditions(spec, None)}
