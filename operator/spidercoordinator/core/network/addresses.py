"""What the IPAM section of a network tells of its pods' addresses, without asking anybody.

Sources: the README of host-local and static in containernetworking/plugins, of whereabouts in
k8snetworkplumbingwg/whereabouts. What another IPAM plugin gives is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from spidercoordinator.api.multus import SPIDERPOOL, SpiderMultusConfigSpec
from spidercoordinator.api.scalars import IPNetwork, parse_network

_IPV4: Final = 4
_IPV6: Final = 6

NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "host-local": ("ranges", "subnet"),
    "static": ("addresses",),
    "whereabouts": ("range", "ipRanges"),
}
"""IPAM plugin → keys of which it needs one, where the pod itself asks for nothing."""


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
    section = spec.ipam.wire()
    reader = _READERS.get(spec.ipam.type)
    texts = reader(section) if reader else ()
    found = (parse_network(_masked(text)) for text in texts if isinstance(text, str))
    return tuple(each for each in found if each is not None)


def unreadable_subnets(spec: SpiderMultusConfigSpec) -> tuple[Any, ...]:
    """What stands in spec.ipam where its plugin reads a subnet, and is none."""
    reader = _READERS.get(spec.ipam.type) if spec.ipam else None
    if reader is None or spec.ipam is None:
        return ()
    texts = reader(spec.ipam.wire())
    return tuple(
        each for each in texts if not isinstance(each, str) or parse_network(_masked(each)) is None
    )


def _masked(text: str) -> str:
    """Of whereabouts, which also takes `10.0.0.5-10.0.0.9/24` as a range."""
    return text.rpartition("-")[2]


def _host_local(section: Mapping[str, Any]) -> Iterator[Any]:
    for alternatives in _list(section.get("ranges")):
        for item in _list(alternatives):
            yield from _values(item, "subnet")
    yield from _values(section, "subnet")


def _static(section: Mapping[str, Any]) -> Iterator[Any]:
    for item in _list(section.get("addresses")):
        yield from _values(item, "address")


def _whereabouts(section: Mapping[str, Any]) -> Iterator[Any]:
    yield from _values(section, "range")
    for item in _list(section.get("ipRanges")):
        yield from _values(item, "range")


_READERS: Final = {"host-local": _host_local, "static": _static, "whereabouts": _whereabouts}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _values(item: Any, key: str) -> Iterator[Any]:
    if isinstance(item, Mapping) and key in item:
        yield item[key]
