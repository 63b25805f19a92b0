"""Addresses of nodes that an IPAM plugin would give to pods: found, named, and left out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.core.cidrs.nodeaddresses import NodeAddresses
from spidercoordinator.core.network.ipamsection import address_ranges
from spidercoordinator.core.network.nodecollisions import (
    NodeCollisions,
    given_by,
    node_address_given,
)
from spidercoordinator.core.network.sharing import pool_of

NODES = NodeAddresses.of(
    [
        ("a", ["10.6.0.11", "fd06::11", "a.example.org"]),
        ("b", ["10.6.0.12", "203.0.113.7"]),
        ("c", ["10.6.0.200"]),
        ("d", ["10.6.0.201"]),
    ]
)
WHERE: dict[str, Any] = {"type": "whereabouts"}
HOST: dict[str, Any] = {"type": "host-local"}


def said(section: dict[str, Any], nodes: NodeAddresses = NODES) -> str:
    return node_address_given(section["type"], address_ranges(section), nodes) or ""


@pytest.mark.parametrize(
    ("section", "named", "remedy"),
    [
        pytest.param(
            WHERE | {"range": "10.6.0.0/24"},
            "10.6.0.11 of node a, 10.6.0.12 of node b, 10.6.0.200 of node c and others: ",
            'exclude: ["10.6.0.11/32", "10.6.0.12/32", "10.6.0.200/32"]',
            id="a whole subnet",
        ),
        pytest.param(
            WHERE | {"range": "10.6.0.12-10.6.0.20/24"},
            "range gives pods 10.6.0.12 of node b: ",
            'exclude: ["10.6.0.12/32"]',
            id="from and to",
        ),
        pytest.param(
            WHERE | {"ipRanges": [{"range": "10.7.0.0/16"}, {"range": "fd06::/64"}]},
            "ipRanges[1].range gives pods fd06::11 of node a: ",
            'exclude: ["fd06::11/128"]',
            id="IPv6, the second range",
        ),
        pytest.param(
            WHERE | {"range": "10.6.0.0/24", "exclude": ["10.6.0.0/25", "10.6.0.200/32"]},
            "10.6.0.201 of node d: ",
            'exclude: ["10.6.0.201/32"]',
            id="all but one are left out",
        ),
        pytest.param(
            HOST | {"subnet": "10.6.0.0/24", "rangeStart": "10.6.0.12"},
            "10.6.0.12 of node b, 10.6.0.200 of node c, 10.6.0.201 of node d: ",
            "set rangeStart and rangeEnd",
            id="host-local",
        ),
        pytest.param(
            {"type": "static", "addresses": [{"address": "10.6.0.12/24"}]},
            "addresses[0].address gives pods 10.6.0.12 of node b: ",
            "name another address",
            id="static",
        ),
    ],
)
def test_nodes_addresses_and_what_leaves_them_out_are_named(
    section: dict[str, Any], named: str, remedy: str
) -> None:
    assert named in said(section)
    assert remedy in said(section)


@pytest.mark.parametrize("own", [True, False])
def test_a_range_of_the_default_ipam_is_named_as_that(*, own: bool) -> None:
    section = WHERE | {"range": "10.6.0.12-10.6.0.20/24"}
    spec = {"cniType": "macvlan", "macvlan": {"master": ["ens5"]}} | (
        {"ipam": section} if own else {}
    )
    network = {"metadata": {"namespace": "a", "name": "b"}, "spec": spec}
    pool = pool_of(network, section)
    assert pool is not None
    text = node_address_given(pool.kind, pool.ranges, NODES) or ""
    begin = "range gives" if own else "range of the chart's defaultIPAM gives"
    assert text.startswith(f"{begin} pods 10.6.0.12 of node b: ")


@pytest.mark.parametrize(
    "section",
    [
        pytest.param(WHERE | {"range": "10.7.0.0/16"}, id="another subnet"),
        pytest.param(WHERE | {"range": "10.6.0.20-10.6.0.99/24"}, id="between"),
        pytest.param(
            WHERE | {"range": "10.6.0.0/24", "exclude": ["10.6.0.8/29", "10.6.0.200/31"]},
            id="all are left out",
        ),
        pytest.param(HOST | {"subnet": "10.6.0.0/24", "rangeEnd": "10.6.0.10"}, id="before"),
        pytest.param(HOST | {"subnet": "fd07::/64"}, id="of the other family"),
        pytest.param({"type": "dhcp"}, id="of another plugin"),
        pytest.param(WHERE | {"range": "ten"}, id="broken"),
    ],
)
def test_where_no_pod_gets_one_nothing_is_said(section: dict[str, Any]) -> None:
    assert said(section) == ""


def test_what_is_left_out_as_advised_is_not_said_again() -> None:
    section = WHERE | {"range": "10.6.0.0/24", "exclude": []}
    for _ in range(3):
        if not (message := said(section)):
            break
        advised = message.partition("exclude: ")[2].partition("]")[0] + "]"
        section = section | {"exclude": [*section["exclude"], *json.loads(advised)]}
    assert said(section) == ""


NUMBERS = st.integers(0x0A060000, 0x0A0600FF)


@given(
    nodes=st.lists(NUMBERS, max_size=8),
    excluded=st.lists(st.tuples(NUMBERS, st.integers(24, 32)), max_size=4),
    ends=st.tuples(NUMBERS, NUMBERS).map(sorted),
)
def test_it_is_as_looking_at_each_address(
    nodes: list[int], excluded: list[tuple[int, int]], ends: list[int]
) -> None:
    def text(number: int) -> str:
        return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))

    section = WHERE | {
        "range": f"{text(ends[0])}-{text(ends[1])}/24",
        "exclude": [f"{text(number)}/{length}" for number, length in excluded],
    }
    [of_pods] = address_ranges(section)
    known = NodeAddresses.of([(f"n{each}", [text(each)]) for each in nodes])
    left = [
        each
        for each in sorted(set(nodes))
        if ends[0] <= each <= ends[1]
        and each not in {0x0A060000, 0x0A0600FF}
        and not any(each >> 32 - length == net >> 32 - length for net, length in excluded)
    ]
    assert [number for number, _ in given_by(of_pods, known)] == left


def test_the_owner_of_an_address() -> None:
    [known] = address_ranges({"type": "static", "addresses": [{"address": "10.6.0.200/24"}]})
    [other] = address_ranges({"type": "static", "addresses": [{"address": "10.6.0.99/24"}]})
    assert (NODES.owner(known.first), NODES.owner(other.first)) == ("c", "")


def network(name: str, range_: str) -> dict[str, Any]:
    spec = {
        "cniType": "macvlan",
        "macvlan": {"master": ["eth0"], "linkInContainer": True},
        "ipam": WHERE | {"range": range_},
    }
    return {"metadata": {"namespace": "x", "name": name}, "spec": spec}


def test_only_networks_of_which_something_else_holds_are_looked_at_again() -> None:
    made = [
        pool_of(network(n, r), {}, linked=False)
        for n, r in (("n", "10.6.0.0/24"), ("o", "10.7.0.0/24"))
    ]
    pools = {each.network: each for each in made if each}
    collisions, first = NodeCollisions(), NodeAddresses.of([("a", ["10.6.0.5"])])
    told = {name: collisions.judge(name, pool, first) for name, pool in pools.items()}
    assert told["x", "o"] is None
    assert collisions.follow(first, pools) == []
    # Nodes of other networks, and a heartbeat, change nothing.
    away = NodeAddresses.of([("a", ["10.6.0.5"]), ("z", ["192.168.0.9"])])
    assert collisions.follow(away, pools) == []
    second = NodeAddresses.of([("a", ["10.6.0.5"]), ("b", ["10.7.0.9"])])
    assert collisions.follow(second, pools) == [("x", "o")]
    collisions.judge(("x", "o"), pools["x", "o"], second)
    assert collisions.follow(NodeAddresses(), pools) == [("x", "n"), ("x", "o")]
    collisions.remove(("x", "n"))
    assert ("x", "n") not in collisions.told
