"""Addresses that two networks give out without knowing of each other.

host-local keeps its addresses in files of the node, one folder for each list's name: two networks
on one link whose ranges overlap give the same address to two pods. whereabouts and Spiderpool keep
theirs in the cluster, and know what other networks of theirs have given out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pydantic import ValidationError

from spidercoordinator.api import nad
from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.api.objects import Name, Object, name_of
from spidercoordinator.core.network.desired import nad_name
from spidercoordinator.core.network.ipam import section_of
from spidercoordinator.core.network.ipamsection import (
    HOST_LOCAL,
    NEEDED,
    AddressRange,
    address_ranges,
)
from spidercoordinator.core.status.warnings import FieldWarning

_Links = frozenset[tuple[str, int]]

_FOLDER: Final = "/var/lib/cni/networks"
"""Where host-local keeps addresses unless dataDir says otherwise."""


@dataclass(frozen=True, slots=True)
class AddressPool:
    """What a network gives addresses from.

    Attributes:
        network: namespace and name.
        kind: IPAM plugin.
        store: folder that host-local keeps the addresses in; empty for other plugins.
        links: what stands for the links that the network's pods are on.
        ranges: of addresses.
    """

    network: Name
    kind: str
    store: str
    links: _Links
    ranges: tuple[AddressRange, ...]


def pool_of(network: Object, default_ipam: Mapping[str, Any]) -> AddressPool | None:
    """What a network gives addresses from; None where that cannot be read from its section.

    Args:
        network: A SpiderMultusConfig.
        default_ipam: IPAM of a network that names none; empty where there is none.
    """
    given = network.get("spec") or {}
    ipam = given.get("ipam")
    kind = (ipam if isinstance(ipam, dict) else default_ipam).get("type")
    if not isinstance(kind, str) or kind not in NEEDED:
        return None  # most networks are done with that
    read = _read(json.dumps(given, sort_keys=True), json.dumps(dict(default_ipam), sort_keys=True))
    if read is None:
        return None
    kind, folder, links, ranges = read
    annotations = network["metadata"].get("annotations") or {}
    name = annotations.get(nad.CNICONFIG_NAME) or nad_name(network)
    store = f"{folder}/{name}" if kind == HOST_LOCAL else ""
    return AddressPool(name_of(network), kind, store, links, ranges)


# A review looks at all networks; thousands of them have few different specs.
@lru_cache(maxsize=4096)
def _read(spec: str, default: str) -> tuple[str, str, _Links, tuple[AddressRange, ...]] | None:
    """IPAM plugin, folder, links and ranges of a spec, both given as JSON."""
    try:
        parsed = SpiderMultusConfigSpec.model_validate_json(spec)
    except ValidationError:
        return None
    section = section_of(parsed, json.loads(default))
    kind = str(section.get("type"))
    if kind not in NEEDED:
        return None
    folder = str(section.get("dataDir") or _FOLDER)
    return kind, folder, frozenset(_links(parsed)), tuple(address_ranges(section))


def shared_range(pool: AddressPool, others: Iterable[AddressPool]) -> str | None:
    """Why pods of this network and of another get the same addresses; None when they do not.

    Args:
        pool: Of the network.
        others: Of all networks; the network itself does not count.
    """
    for other in sorted(others, key=lambda each: each.network):
        if other.network == pool.network or not pool.links & other.links:
            continue
        if HOST_LOCAL not in {pool.kind, other.kind} or (pool.store and pool.store == other.store):
            continue
        for own in pool.ranges:
            for theirs in other.ranges:
                if own.overlaps(theirs):
                    return overlap_message(own, theirs, other)
    return None


def overlap_message(own: AddressRange, theirs: AddressRange, other: AddressPool) -> str:
    """Say that a range overlaps one of another network.

    Args:
        own: Of the network that it is said of.
        theirs: Of the other one.
        other: What the other one gives addresses from.
    """
    namespace, name = other.network
    return (
        f"{own.first} to {own.last} overlaps {theirs.first} to {theirs.last} of SpiderMultusConfig"
        f" {namespace}/{name} on the same link, and neither knows what the other gave there, so two"
        " pods get one address; use ranges apart, or whereabouts in both"
    )


def overlap_warning(message: str) -> FieldWarning:
    """The warning of a network whose addresses another one gives, too."""
    return FieldWarning("RangeOverlap", "spec.ipam", message)


def _links(spec: SpiderMultusConfigSpec) -> Iterator[tuple[str, int]]:
    """What stands for the link, such as the master, and the VLAN on it.

    A VLAN interface that is the master itself is the same as its VLAN on the interface below.
    """
    network = spec.network
    vlan = int(getattr(network, "vlan_id", None) or getattr(network, "vlan", None) or 0)
    masters = getattr(network, "master", ())
    for name in (masters,) if isinstance(masters, str) else masters:
        parent, dot, number = name.rpartition(".")
        if dot and number.isdecimal() and not vlan:
            yield f"interface {parent}", int(number)
        else:
            yield f"interface {name}", vlan
    for key in ("bridge", "resource_name"):
        if name := getattr(network, key, None):
            yield f"{key} {name}", vlan
