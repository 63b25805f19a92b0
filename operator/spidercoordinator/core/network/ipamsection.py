"""The IPAM section of a network, looked at as its plugin will: what fails pods, and what misleads.

Sources: plugins/ipam/host-local (backend/allocator) and plugins/ipam/static of
containernetworking/plugins v1.9, pkg/config and pkg/types of k8snetworkplumbingwg/whereabouts
v0.9, pkg/ipam of containernetworking/plugins for what becomes of routes. Sections of other plugins
are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from spidercoordinator.api.scalars import IPAddress, IPNetwork, parse_ip, parse_network
from spidercoordinator.core.network.addressrange import AddressRange, left_out
from spidercoordinator.core.network.ipamkeys import (
    HOST_LOCAL,
    STATIC,
    WHEREABOUTS,
    canonical,
    shown,
    without_zeros,
    wrong_kind,
)

NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    HOST_LOCAL: ("ranges", "subnet"),
    STATIC: ("addresses",),
    WHEREABOUTS: ("range", "ipRanges"),
}
"""IPAM plugin → keys of which it needs one, where the pod itself asks for nothing."""

_IPV4: Final = 4
_SMALLEST: Final = 2
"""Bits of a subnet that host-local can allocate from."""


class _BrokenError(Exception):
    """The section cannot be used; the text says which key has which value."""


def address_ranges(section: Mapping[str, Any]) -> list[AddressRange]:
    """The ranges of a section of a known type, as far as they can be read."""
    try:
        return list(_ranges(canonical(section)))
    except _BrokenError:
        return []


def broken(section: Mapping[str, Any]) -> str | None:
    """Why the plugin fails every pod with this section; None when it does not."""
    kind = str(section.get("type"))
    if kind not in NEEDED:
        return None
    section = canonical(section)
    if fault := wrong_kind(section):
        return f"{fault}, so {kind} fails"
    try:
        found = list(_ranges(section))
        _check_routes(section)
        _check_excluded(section)
    except _BrokenError as error:
        return f"{error}, so {kind} fails"
    if not found:
        return f"{kind} fails without {' or '.join(NEEDED[kind])}"
    return _overlapping(found) if kind == HOST_LOCAL else None


def route_without_gateway(section: Mapping[str, Any]) -> str | None:
    """A route that leads nowhere: it names no router, and no range of its family has one."""
    section = canonical(section)
    gateways = {each.gateway.version for each in address_ranges(section) if each.gateway}
    for index, route in enumerate(_list(section.get("routes"))):
        dst = parse_network(str(route.get("dst"))) if isinstance(route, Mapping) else None
        if dst is None or route.get("gw") or section.get("type") not in NEEDED:
            continue
        if dst.version not in gateways:
            return (
                f"routes[{index}] to {dst} has no gw and the section no gateway, so pods look for"
                " these destinations on the link itself; add gateway, or gw to the route"
            )
    return None


def gateway_elsewhere(section: Mapping[str, Any]) -> str | None:
    """A router that is in none of the subnets, so that its routes cannot be added."""
    if broken(section):
        return None
    section = canonical(section)
    ranges = address_ranges(section)
    for each in ranges:
        if each.gateway and not _within(each.gateway, ranges):
            return (
                f"gateway {each.gateway} is not in {each.subnet}, so routes over it cannot be added"
                " and pods fail; write the subnet that it is in, and the part for pods as a range"
            )
    for index, route in enumerate(_list(section.get("routes"))):
        gateway = parse_ip(str(route.get("gw"))) if isinstance(route, Mapping) else None
        if gateway and ranges and not _within(gateway, ranges):
            return f"routes[{index}].gw {gateway} is in no subnet of the section, so pods fail"
    return None


def ignored_end(section: Mapping[str, Any]) -> str | None:
    """An end of a range that its plugin passes over."""
    for each in address_ranges(section):
        if each.ignored is not None:
            return (
                f"{each.key} ends at {each.ignored}, before its start {each.first}, so"
                f" {section['type']} passes over the end and gives addresses up to {each.last};"
                " write the lower address as the start"
            )
    return None


def _ranges(section: Mapping[str, Any]) -> Iterator[AddressRange]:
    reader = _READERS.get(str(section.get("type")))
    if reader is not None:
        yield from reader(section)


def _host_local(section: Mapping[str, Any]) -> Iterator[AddressRange]:
    if "subnet" in section:
        yield _host_local_range(section, "")
    for number, alternatives in enumerate(_list(section.get("ranges"))):
        if not isinstance(alternatives, list) or not alternatives:
            raise _BrokenError(
                f"ranges[{number}] must be a list of ranges, such as [{{subnet: …}}]"
            )
        for index, item in enumerate(alternatives):
            at = f"ranges[{number}][{index}]"
            yield _host_local_range(_object(item, at), f"{at}.")


def _host_local_range(item: Mapping[str, Any], at: str) -> AddressRange:
    subnet = _network(item.get("subnet"), f"{at}subnet", "a subnet such as 10.6.0.0/16")
    if str(subnet) != item["subnet"] and parse_ip(item["subnet"].partition("/")[0]) != subnet[0]:
        raise _BrokenError(f"{at}subnet {item['subnet']} has host bits set; write {subnet}")
    if subnet.max_prefixlen - subnet.prefixlen < _SMALLEST:
        raise _BrokenError(f"{at}subnet {subnet} is too small to give addresses of")
    gateway = _address(item, "gateway", at, None) or subnet[1]
    end = _address(item, "rangeEnd", at, subnet)
    # By itself it ends before the broadcast address.
    kept = [gateway, *([subnet[-1]] if end is None and subnet.version == _IPV4 else [])]
    return AddressRange(
        f"{at}subnet",
        subnet,
        _address(item, "rangeStart", at, subnet) or subnet[1],
        end or subnet[-1],
        gateway,
        excluded=left_out(subnet, kept),
    )


def _static(section: Mapping[str, Any]) -> Iterator[AddressRange]:
    for index, item in enumerate(_list(section.get("addresses"))):
        at = f"addresses[{index}]"
        given = _object(item, at)
        text = given.get("address")
        subnet = _network(text, f"{at}.address", "an address with its prefix, 10.6.0.9/16")
        own = parse_ip(str(text).partition("/")[0])
        if own is None or "/" not in str(text):
            raise _BrokenError(f"{at}.address {text!r} has no prefix length; write {text}/24 or so")
        yield AddressRange(
            f"{at}.address", subnet, own, own, _address(given, "gateway", f"{at}.", None)
        )


def _whereabouts(section: Mapping[str, Any]) -> Iterator[AddressRange]:
    section = without_zeros(section, "gateway")
    gateway = _address(section, "gateway", "", None)
    if section.get("range"):
        yield _whereabouts_range(section, "", gateway)
    for index, item in enumerate(_list(section.get("ipRanges"))):
        at = f"ipRanges[{index}]"
        yield _whereabouts_range(_object(item, at), f"{at}.", gateway)


def _whereabouts_range(item: Mapping[str, Any], at: str, gateway: IPAddress | None) -> AddressRange:
    """Also as `10.0.0.5-10.0.0.9/24`, whose first address is the start and whose other the end."""
    item = without_zeros(item, "range")
    text, key = item.get("range"), f"{at}range"
    allowed = "a CIDR such as 10.6.0.0/16, or 10.6.0.5-10.6.0.9/16"
    head, dash, tail = str(text).partition("-") if isinstance(text, str) else ("", "", "")
    subnet = _network(tail if dash else text, key, allowed, value_shown=text)
    if "/" not in str(text):
        raise _BrokenError(f"{key} is {text!r}; allowed is {allowed}")
    start = _address(item, "range_start", at, subnet)
    end = _address(item, "range_end", at, subnet)
    if dash:
        start, end = parse_ip(head), parse_ip(tail.partition("/")[0])
        if start is None or start not in subnet:
            raise _BrokenError(f"{key} is {text!r}, whose first address is not in {subnet}")
    own = gateway if gateway is not None and gateway.version == subnet.version else None
    first, last = start or subnet[0], end or subnet[-1]
    # It passes over an end before the start (pkg/iphelpers, GetIPRange).
    ignored = last if int(last) < int(first) else None
    last = subnet[-1] if ignored else last
    # It gives neither the first nor the last address of a subnet.
    excluded = left_out(subnet, (subnet[0], subnet[-1]), _excluded(item, at))
    return AddressRange(key, subnet, first, last, own, ignored, excluded)


_READERS: Final = {HOST_LOCAL: _host_local, STATIC: _static, WHEREABOUTS: _whereabouts}


def _network(value: Any, key: str, allowed: str, *, value_shown: Any = None) -> IPNetwork:
    found = parse_network(value) if isinstance(value, str) else None
    if found is None:
        told = shown(value if value_shown is None else value_shown)
        raise _BrokenError(f"{key} is {told}; allowed is {allowed}")
    return found


def _address(
    item: Mapping[str, Any], key: str, at: str, subnet: IPNetwork | None
) -> IPAddress | None:
    """The address under a key, None where there is none."""
    value = item.get(key)
    if value is None or value == "":
        return None
    found = parse_ip(value) if isinstance(value, str) else None
    if found is None:
        raise _BrokenError(f"{at}{key} is {shown(value)}; allowed is an IP address")
    if subnet is not None and found not in subnet:
        raise _BrokenError(f"{at}{key} {found} is not in {subnet}")
    return found


def _check_excluded(section: Mapping[str, Any]) -> None:
    parts = {
        f"ipRanges[{index}].": each for index, each in enumerate(_list(section.get("ipRanges")))
    }
    for at, part in {"": section, **parts}.items():
        _excluded(_object(part, at), at)


def _excluded(part: Mapping[str, Any], at: str) -> list[IPNetwork]:
    found = []
    for index, text in enumerate(_list(part.get("exclude"))):
        given = without_zeros({"exclude": text}, "exclude")["exclude"]
        found.append(_network(given, f"{at}exclude[{index}]", "a CIDR such as 10.6.0.1/32"))
    return found


def _check_routes(section: Mapping[str, Any]) -> None:
    for index, route in enumerate(_list(section.get("routes"))):
        given = _object(route, f"routes[{index}]")
        dst = given.get("dst")
        found = _network(dst, f"routes[{index}].dst", "a CIDR such as 0.0.0.0/0")
        if "/" not in str(dst):
            raise _BrokenError(f"routes[{index}].dst {dst} has no prefix length; write {found}")
        gateway = _address(given, "gw", f"routes[{index}].", None)
        if gateway is not None and gateway.version != found.version:
            raise _BrokenError(f"routes[{index}] has dst {found} and gw {gateway} of two families")


def _overlapping(ranges: list[AddressRange]) -> str | None:
    for number, one in enumerate(ranges):
        if int(one.first) > int(one.last):
            return (
                f"{one.key}: rangeStart {one.first} is after rangeEnd {one.last}, host-local fails"
            )
        for other in ranges[number + 1 :]:
            if one.overlaps(other):
                return f"{one.key} and {other.key} overlap, so host-local fails"
    return None


def _within(address: IPAddress, ranges: list[AddressRange]) -> bool:
    return any(address in each.subnet for each in ranges)


def _object(value: Any, key: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _BrokenError(f"{key} is {shown(value)}; allowed is an object")
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
