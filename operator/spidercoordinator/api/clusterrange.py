"""Ranges of addresses that a cluster can have for its pods or Services, for CRD and models."""

import ipaddress
from functools import lru_cache
from typing import Annotated

from pydantic import Field

from spidercoordinator.api.rules import Rule
from spidercoordinator.api.scalars import parse_network

# Addresses that no pod or Service has: RFC 1122 (this network, loopback), 3927, 1112, 919, 4291.
_NO_CLUSTER_RANGE = (
    *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32"),
    *("::/127", "fe80::/10", "ff00::/8"),
)
_SPECIAL_NETWORKS = tuple(ipaddress.ip_network(each) for each in _NO_CLUSTER_RANGE)
_SHORTEST_PREFIX = 8
"""10.0.0.0/8 is the largest that clusters use; a shorter one is a good part of the internet."""


def _is_range(text: str) -> bool:
    return "/" in text and parse_network(text) is not None


def _is_of_a_cluster_s_size(text: str) -> bool:
    network = parse_network(text)
    return network is None or network.prefixlen >= _SHORTEST_PREFIX


def _can_be_addresses_of_a_cluster(text: str) -> bool:
    network = parse_network(text)
    return network is None or not any(
        network.version == special.version and network.overlaps(special)
        for special in _SPECIAL_NETWORKS
    )


_SPECIALS_IN_CEL = ", ".join(f"'{each}'" for each in _NO_CLUSTER_RANGE)
CLUSTER_RANGE_RULES = (
    Rule(
        "isCIDR(self)",
        _is_range,
        '"{value}" is not a range of addresses; write it with its prefix length, such as'
        " 10.244.0.0/16 or fd00::/64",
    ),
    Rule(
        f"!isCIDR(self) || cidr(self).prefixLength() >= {_SHORTEST_PREFIX}",
        _is_of_a_cluster_s_size,
        f'"{{value}}" is too large for the range of a cluster; a prefix length of'
        f" {_SHORTEST_PREFIX} or more is allowed",
    ),
    Rule(
        f"!isCIDR(self) || [{_SPECIALS_IN_CEL}].all(special,"
        " !cidr(special).containsIP(cidr(self).ip())"
        " && !cidr(self).containsIP(cidr(special).ip()))",
        _can_be_addresses_of_a_cluster,
        '"{value}" has unspecified, loopback, link-local, multicast or broadcast addresses in it,'
        " which no pod or Service has; write the range of the cluster, such as 10.244.0.0/16",
    ),
)


@lru_cache(maxsize=32768)
def cluster_range_fault(text: str) -> str:
    """Why this cannot be a range of pods or Services, for people; empty when it can."""
    return next((rule.text(text) for rule in CLUSTER_RANGE_RULES if not rule.holds(text)), "")


ClusterCIDR = Annotated[
    str,
    Field(max_length=64),
    CLUSTER_RANGE_RULES[0],
    CLUSTER_RANGE_RULES[1],
    CLUSTER_RANGE_RULES[2],
]

# The kernel's dev_valid_name(): 1 to 15 bytes, no blank, slash or colon, not "." or "..".
