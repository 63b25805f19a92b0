"""What a section that its plugin takes gives to pods: nothing at all, or what is of no use to them.

Sources are those of `ipamsection`: whereabouts leaves out the first and the last address of a
subnet and what `exclude` names, but not its gateway (pkg/allocate); host-local leaves out its
gateway (backend/allocator); static looks at nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from spidercoordinator.api.scalars import IPAddress, IPNetwork, is_assignable, parse_ip
from spidercoordinator.core.network.addressrange import AddressRange
from spidercoordinator.core.network.ipamkeys import HOST_LOCAL, STATIC, WHEREABOUTS, canonical
from spidercoordinator.core.network.ipamsection import address_ranges, broken

_POINT_TO_POINT: Final = 2
"""Addresses of a subnet that has no broadcast address (RFC 3021)."""
_IPV4: Final = 4


def nothing_given(section: Mapping[str, Any]) -> str | None:
    """A range of which no address is left for a pod."""
    kind = section.get("type")
    for each in address_ranges(section):
        if each.next_given(int(each.first)) is not None:
            continue
        if kind == WHEREABOUTS and each.subnet.num_addresses <= _POINT_TO_POINT:
            return (
                f"{each.key} {each.subnet} is too small: whereabouts gives neither its first"
                " address nor its last one, so whereabouts fails; write a larger one"
            )
        return (
            f"{each.key} gives no address: gateway and exclude take all from {each.first} to"
            f" {each.last}, so {kind} fails; leave some to pods"
        )
    return None


def no_slices(section: Mapping[str, Any]) -> str | None:
    """Parts of whereabouts' first range for nodes that it cannot be divided into."""
    size, ranges = canonical(section).get("node_slice_size"), address_ranges(section)
    if section.get("type") != WHEREABOUTS or not size or not ranges:
        return None
    text, subnet = str(size).removeprefix("/"), ranges[0].subnet
    number = int(text[:4]) if text.isascii() and text.isdecimal() else -1
    if subnet.version != _IPV4:
        return (
            f"node_slice_size divides ranges of IPv4 alone, and the first one is {subnet}: no node"
            " gets a part, so whereabouts fails; remove it"
        )
    if subnet.prefixlen <= number <= subnet.max_prefixlen:
        return None
    return (
        f"node_slice_size is {size!r}, and {ranges[0].key} {subnet} cannot be divided so: no node"
        f" gets a part, so whereabouts fails; allowed is /{subnet.prefixlen} to"
        f" /{subnet.max_prefixlen}"
    )


def router_given(section: Mapping[str, Any], further: Iterable[str] = ()) -> str | None:
    """A router whose address a pod may get, so that it answers in the router's place.

    Args:
        section: of a network.
        further: gateways that the section does not name, such as those of policyRoutes.
    """
    if broken(section):
        return None
    kind, ranges = section.get("type"), address_ranges(section)
    routers = [("its gateway", each.gateway) for each in ranges if each.gateway]
    routers += [(f"routes[{index}].gw", each) for index, each in _gateways(section)]
    routers += [("a gateway of policyRoutes", each) for each in map(parse_ip, further) if each]
    for what, router in routers:
        each = next((each for each in ranges if each.gives(router)), None)
        if each is not None:
            return (
                f"{each.key} gives pods {router} as well, which is {what}: with it in a pod all"
                f" others lose their router; {_remedy(kind, router)}"
            )
    return None


def _gateways(section: Mapping[str, Any]) -> Iterator[tuple[int, IPAddress]]:
    routes = canonical(section).get("routes")
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        gateway = parse_ip(str(route.get("gw"))) if isinstance(route, Mapping) else None
        if gateway is not None:
            yield index, gateway


def _remedy(kind: object, router: IPAddress) -> str:
    if kind == WHEREABOUTS:
        return f'leave it out with exclude: ["{router}/{router.max_prefixlen}"]'
    if kind == HOST_LOCAL:
        return "set rangeStart and rangeEnd so that it is not between"
    return "name another address"


def unusable_address(section: Mapping[str, Any]) -> str | None:
    """An address that no interface can have, or by which nobody reaches it."""
    if broken(section):
        return None
    kind = section.get("type")
    for each in address_ranges(section):
        for address, what in _doubtful(each):
            if each.gives(address):
                text = f"{each.key} gives pods {address}, {what}, so that pod has no traffic"
                return f"{text}; {_instead(kind)}"
    return None


def _doubtful(given: AddressRange) -> Iterator[tuple[IPAddress, str]]:
    number = given.next_given(int(given.first))
    lowest = given.first if number is None else type(given.first)(number)
    if not is_assignable(lowest):
        yield lowest, "which no interface can have"
    subnet: IPNetwork = given.subnet
    if subnet.version == _IPV4 and subnet.num_addresses > _POINT_TO_POINT:
        yield subnet[0], f"the network {subnet} itself"
        yield subnet[-1], f"the broadcast address of {subnet}"


def _instead(kind: object) -> str:
    return "name another address" if kind == STATIC else "set where the range starts and ends"
