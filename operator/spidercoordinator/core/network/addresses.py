"""What the IPAM section of a network tells of its pods' addresses, without asking anybody.

What an IPAM plugin gives that `core.network.ipamsection` does not read is not known.
"""

from __future__ import annotations

from typing import Final

from spidercoordinator.api.multus import SPIDERPOOL, SpiderMultusConfigSpec
from spidercoordinator.api.scalars import IPNetwork
from spidercoordinator.core.network.ipamsection import address_ranges

_IPV4: Final = 4
_IPV6: Final = 6


def pod_families(spec: SpiderMultusConfigSpec) -> frozenset[int] | None:
    """The IP versions of the addresses that pods get; None when that is not known."""
    if spec.disable_ipam or spec.network is None:
        return None
    if spec.ipam is not None and spec.ipam.type != SPIDERPOOL:
        return frozenset(subnet.version for subnet in subnets(spec)) or None
    pools = spec.network.ippools
    names = ((_IPV4, pools.ipv4), (_IPV6, pools.ipv6)) if pools else ()
    return frozenset(version for version, some in names if some) or None


def subnets(spec: SpiderMultusConfigSpec) -> tuple[IPNetwork, ...]:
    """The subnets of the addresses that pods get, as far as spec.ipam names them."""
    if spec.ipam is None:
        return ()
    return tuple(each.subnet for each in address_ranges(spec.ipam.wire()))
