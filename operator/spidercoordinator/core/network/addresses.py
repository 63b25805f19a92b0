"""What the IPAM section of a network tells of its pods' addresses, without asking anybody.

What an IPAM plugin gives that `core.network.ipamsection` does not read is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from spidercoordinator.api.multus import SPIDERPOOL, SpiderMultusConfigSpec
from spidercoordinator.api.scalars import IPNetwork
from spidercoordinator.core.network.ipam import section_of
from spidercoordinator.core.network.ipamsection import address_ranges

_IPV4: Final = 4
_IPV6: Final = 6
NO_IPAM: Final[Mapping[str, Any]] = MappingProxyType({})


def pod_families(
    spec: SpiderMultusConfigSpec, default_ipam: Mapping[str, Any] = NO_IPAM
) -> frozenset[int] | None:
    """The IP versions of the addresses that pods get; None when that is not known.

    Args:
        spec: The network.
        default_ipam: IPAM of a network that names none; empty where there is none.
    """
    if spec.disable_ipam or spec.network is None:
        return None
    if section_of(spec, default_ipam).get("type", SPIDERPOOL) != SPIDERPOOL:
        return frozenset(subnet.version for subnet in subnets(spec, default_ipam)) or None
    pools = spec.network.ippools
    names = ((_IPV4, pools.ipv4), (_IPV6, pools.ipv6)) if pools else ()
    return frozenset(version for version, some in names if some) or None


def subnets(
    spec: SpiderMultusConfigSpec, default_ipam: Mapping[str, Any] = NO_IPAM
) -> tuple[IPNetwork, ...]:
    """The subnets of the addresses that pods get, as far as the IPAM section names them.

    Args:
        spec: The network.
        default_ipam: As of `pod_families`.
    """
    return tuple(each.subnet for each in address_ranges(section_of(spec, default_ipam)))
