"""Addresses that two networks give out without knowing of each other.

host-local keeps its addresses in files of the node, one folder for each list's name: two networks
on one link whose ranges overlap give the same address to two pods. whereabouts and Spiderpool keep
theirs in the cluster, and know what other networks of theirs have given out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from spidercoordinator.api import nad
from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.api.networks import MasterNetwork
from spidercoordinator.api.objects import Name, Object, name_of
from spidercoordinator.core.network.addressrange import AddressRange
from spidercoordinator.core.network.desired import nad_name
from spidercoordinator.core.network.ipam import CHARTS, section_of
from spidercoordinator.core.network.ipamkeys import HOST_LOCAL, canonical
from spidercoordinator.core.network.ipamsection import NEEDED, address_ranges
from spidercoordinator.core.network.render import json_text
from spidercoordinator.core.network.render.plugin import is_in_pod
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


def pool_of(
    network: Object, default_ipam: Mapping[str, Any], *, linked: bool = True
) -> AddressPool | None:
    """What a network gives addresses from; None where that cannot be read from its section.

    Of customCNI it is the first plugin with an IPAM section of a known plugin.

    Args:
        network: A SpiderMultusConfig.
        default_ipam: IPAM of a network that names none; empty where there is none.
        linked: whether only one of which it is known which link it is on is wanted.
    """
    given = network.get("spec") or {}
    ipam, text = given.get("ipam"), given.get("customCNI")
    kind = (ipam if isinstance(ipam, dict) else default_ipam).get("type")
    named = isinstance(text, str) and any(each in text for each in NEEDED)
    if not named and (not isinstance(kind, str) or kind not in NEEDED):
        return None  # most networks are done with that
    read = _read(json.dumps(given, sort_keys=True), json.dumps(dict(default_ipam), sort_keys=True))
    if read is None or (linked and not read.links):
        return None
    annotations = network["metadata"].get("annotations") or {}
    name = read.name or annotations.get(nad.CNICONFIG_NAME) or nad_name(network)
    store = f"{read.folder}/{name}" if read.kind == HOST_LOCAL else ""
    return AddressPool(name_of(network), read.kind, store, read.links, read.ranges)


@dataclass(frozen=True, slots=True)
class _Read:
    """What a spec says of addresses: its list's name, where that is not the network's own, too."""

    kind: str
    name: str
    folder: str
    links: _Links
    ranges: tuple[AddressRange, ...]


# A review looks at all networks; thousands of them have few different specs.
@lru_cache(maxsize=4096)
def _read(spec: str, default: str) -> _Read | None:
    """Read a spec, both given as JSON; None where it gives no addresses, or cannot be read."""
    try:
        parsed = SpiderMultusConfigSpec.model_validate_json(spec)
        name, section, links = (
            ("", section_of(parsed, json.loads(default)), _links(parsed))
            if parsed.network is not None
            else _of_text(json_text.plain(parsed.custom_cni or "{}"))
        )
    except ValueError:  # also of pydantic
        return None
    kind = str(section.get("type"))
    if kind not in NEEDED:
        return None
    folder = str(canonical(section).get("dataDir") or _FOLDER)
    ranges = address_ranges(section)
    if parsed.network is not None and parsed.ipam is None:
        ranges = [replace(each, key=f"{each.key} of {CHARTS}") for each in ranges]
    return _Read(kind, name, folder, frozenset(links), tuple(ranges))


def _of_text(content: Any) -> tuple[str, Mapping[str, Any], Iterator[tuple[str, int]]]:
    """Name, IPAM section and links of the configuration in customCNI."""
    whole = content if isinstance(content, dict) else {}
    listed = whole.get("plugins") or [whole]
    plugins = (
        [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    )
    for plugin in plugins:
        section = plugin.get("ipam")
        if isinstance(section, dict) and str(section.get("type")) in NEEDED:
            return str(whole.get("name") or ""), section, _links_of_plugin(plugin)
    return "", {}, iter(())


def _links_of_plugin(plugin: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    number = plugin.get("vlanId", plugin.get("vlan"))
    vlan = number if isinstance(number, int) else 0
    if isinstance(master := plugin.get("master"), str) and master:
        yield _interface(master, vlan)
    if isinstance(bridge := plugin.get("bridge"), str) and bridge:
        yield f"bridge {bridge}", vlan


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


def overlap_warning(message: str, cni_type: str) -> FieldWarning:
    """The warning of a network of a type whose addresses another one gives, too."""
    field = "spec.customCNI" if cni_type == "custom" else "spec.ipam"
    return FieldWarning("RangeOverlap", field, message)


def _links(spec: SpiderMultusConfigSpec) -> Iterator[tuple[str, int]]:
    """What stands for the link, such as the master, and the VLAN on it.

    A VLAN interface that is the master itself is the same as its VLAN on the interface below.
    A bond has its members and its name, which another network may have as its master. Of a master
    inside the pod nothing is known.
    """
    network = spec.network
    if isinstance(network, MasterNetwork) and is_in_pod(network):
        return
    vlan = int(getattr(network, "vlan_id", None) or getattr(network, "vlan", None) or 0)
    masters = getattr(network, "master", ())
    for name in (masters,) if isinstance(masters, str) else masters:
        yield _interface(name, vlan)
    if bond := getattr(network, "bond", None):
        yield _interface(bond.name, vlan)
    for key in ("bridge", "resource_name"):
        if name := getattr(network, key, None):
            yield f"{key} {name}", vlan


def _interface(name: str, vlan: int) -> tuple[str, int]:
    parent, dot, number = name.rpartition(".")
    if dot and number.isdecimal() and not vlan:
        return f"interface {parent}", int(number)
    return f"interface {name}", vlan
