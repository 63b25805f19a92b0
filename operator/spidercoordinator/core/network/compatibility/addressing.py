"""Rules about where a network's addresses come from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from spidercoordinator.api.multus import SPIDERPOOL, SpiderMultusConfigSpec
from spidercoordinator.api.scalars import IPNetwork, parse_network
from spidercoordinator.core.network import ipamgiven, ipamkeys, ipamsection
from spidercoordinator.core.network.addresses import subnets
from spidercoordinator.core.network.compatibility.rule import DISABLED, Subject
from spidercoordinator.core.network.ipam import CHARTS, NO_SPIDERPOOL, ipam_type, section_of
from spidercoordinator.core.network.render import json_text

_BY_POD: Final = {"type": ipamkeys.STATIC}
"""A section that is complete where each pod names its addresses."""
_PATTERN: Final = re.compile(r"[*?\[]")


def no_addresses(subject: Subject) -> str | None:
    """A coordinator at an interface without addresses."""
    spec, mode = subject.spec, subject.effective.get("mode")
    if not spec.disable_ipam or not spec.enable_coordinator or spec.network is None:
        return None
    if mode in DISABLED:
        return None
    if spec.chain_cni_json_data:
        return (
            "true, and the coordinator fails at an interface without an address, unless a plugin of"
            " chainCNIJsonData gives one; set enableCoordinator: false if pods shall have none"
        )
    return (
        "true, so the coordinator is left out: it fails at an interface without an address; set"
        " enableCoordinator: false to say so, or give addresses with ipam or ippools"
    )


def unused_pools(subject: Subject) -> str | None:
    """Pools that nobody takes addresses from."""
    pools = subject.spec.network.ippools if subject.spec.network else None
    if not subject.spec.disable_ipam or pools is None:
        return None
    if not (pools.ipv4 or pools.ipv6 or pools.match_master_subnet):
        return None
    return "it has no effect with disableIPAM: true; remove one of them"


def incomplete_ipam(subject: Subject) -> str | None:
    """An IPAM section with which its plugin fails every pod."""
    judges = (ipamsection.broken, ipamgiven.nothing_given, ipamgiven.no_slices)
    return next(filter(None, (_of_sections(subject, judge) for judge in judges)), None)


def route_without_gateway(subject: Subject) -> str | None:
    """A route of the IPAM section that names no router."""
    return _of_sections(subject, ipamsection.route_without_gateway)


def gateway_elsewhere(subject: Subject) -> str | None:
    """A router in the IPAM section that pods cannot reach."""
    return _of_sections(subject, ipamsection.gateway_elsewhere)


def router_in_range(subject: Subject) -> str | None:
    """A range of the IPAM section with the address of a router in it."""
    routes = (subject.effective.get("policy_routes") or ()) if subject.coordinated else ()
    gateways = [route["gw"] for route in routes]
    return _of_sections(subject, lambda section: ipamgiven.router_given(section, gateways))


def unusable_address(subject: Subject) -> str | None:
    """A range of the IPAM section with an address in it that is of no use to a pod."""
    return _of_sections(subject, ipamgiven.unusable_address)


def unknown_ipam_key(subject: Subject) -> str | None:
    """A key of the IPAM section that its plugin passes over."""
    return _of_sections(subject, ipamkeys.unknown_key)


def ignored_end(subject: Subject) -> str | None:
    """An end of a range that the IPAM plugin passes over."""
    return _of_sections(subject, ipamsection.ignored_end)


_Section = Mapping[str, Any]


def _of_sections(subject: Subject, judge: Callable[[_Section], str | None]) -> str | None:
    """What is said of the first section that something is said of, and where it stands.

    Those of plugins that are not known are not judged.
    """
    for where, section in _sections(subject):
        if str(section.get("type")) in ipamsection.NEEDED and (message := judge(section)):
            return f"{where}{message}"
    return None


def _sections(subject: Subject) -> Iterator[tuple[str, _Section]]:
    """The IPAM sections in use, each after where it stands unless that is spec.ipam.

    One that each pod completes by naming its addresses is left out.
    """
    spec = subject.spec
    if spec.network is not None:
        by_pod = spec.capabilities is not None and spec.capabilities.ips
        section = section_of(spec, subject.ipam.default)
        if not (by_pod and section == _BY_POD):
            yield _whose(spec), section
        return
    for index, plugin in enumerate(_plugins(spec.custom_cni or "{}")):
        inner, wishes = plugin.get("ipam"), plugin.get("capabilities")
        by_pod = isinstance(wishes, dict) and wishes.get("ips") is True
        if isinstance(inner, dict) and not (by_pod and inner == _BY_POD):
            yield f"ipam of {plugin['type']} (plugins[{index}]): ", inner


def _whose(spec: SpiderMultusConfigSpec) -> str:
    """What a message begins with of a network that names no IPAM itself."""
    return "" if spec.ipam is not None else f"of {CHARTS}: "


@lru_cache(maxsize=1)
def _plugins(custom_cni: str) -> Sequence[Mapping[str, Any]]:
    """The plugins of a configuration, parsed once for all rules that look at it."""
    content = json_text.plain(custom_cni)
    plugins: Sequence[Mapping[str, Any]] = content.get("plugins") or [content]
    return plugins


def spiderpool_is_missing(subject: Subject) -> str | None:
    """Spiderpool's IPAM where its kinds are not served."""
    if subject.ipam.spiderpool is not False:
        return None
    wanted = ipam_type(subject.spec, subject.ipam.default) == SPIDERPOOL
    return NO_SPIDERPOOL if wanted else None


def dhcp_on_ipvlan(subject: Subject) -> str | None:
    """DHCP where all pods of a node have one MAC address."""
    spec, where = subject.spec, ""
    if spec.network is None:
        plugins = _plugins(spec.custom_cni or "{}")
        kinds = [(each.get("type"), each.get("ipam")) for each in plugins]
    else:
        where = _whose(spec)
        kinds = [(spec.cni_type, section_of(spec, subject.ipam.default))]
    if not any(
        kind == "ipvlan" and isinstance(ipam, Mapping) and ipam.get("type") == "dhcp"
        for kind, ipam in kinds
    ):
        return None
    return (
        f"{where}dhcp with ipvlan: all interfaces have the MAC address of their master, so a DHCP"
        " server that goes by it gives all pods of a node one address; use macvlan, or another IPAM"
        " plugin"
    )


def same_address(subject: Subject) -> str | None:
    """Addresses that more than one pod gets."""
    section, where = section_of(subject.spec, subject.ipam.default), _whose(subject.spec)
    kind = section.get("type")
    if kind == ipamkeys.STATIC and section.get("addresses"):
        return f"{where}static gives all pods of the network the same addresses; it is for one pod"
    if kind == ipamkeys.HOST_LOCAL:
        return (
            f"{where}host-local counts on each node by itself, so pods of two nodes get the same"
            " address; it is for pods of one node, else use whereabouts or Spiderpool"
        )
    return None


def pool_of_both_families(subject: Subject) -> str | None:
    """A pool for IPv4 and IPv6; Spiderpool's pools are of one family."""
    pools = subject.spec.network.ippools if subject.spec.network else None
    both = set(pools.ipv4 or ()) & set(pools.ipv6 or ()) if pools else set()
    named = sorted(each for each in both if not _PATTERN.search(each))
    if not named:
        return None
    return (
        f"{named[0]} is in ipv4 and in ipv6, and a pool is of one family, so pods fail to start;"
        " keep it in its own"
    )


def subnet_overlap(subject: Subject) -> str | None:
    """Pods' subnets that overlap what pods reach through their node."""
    if not subject.coordinated:
        return None
    where = _whose(subject.spec)
    for subnet in subnets(subject.spec, subject.ipam.default):
        for field, what in (("service_cidr", "service CIDR"), ("pod_cidr", "pod CIDR")):
            for text in subject.effective.get(field) or ():
                cidr = parse_network(text)
                if cidr and cidr.version == subnet.version and cidr.overlaps(subnet):
                    return (
                        f"{where}subnet {subnet} overlaps the {what} {text}, and pods reach only"
                        " one of the two; use another subnet"
                    )
        for text in subject.effective.get("hijack_cidr") or ():
            cidr = parse_network(text)
            if cidr and cidr.version == subnet.version and _is_within(cidr, subnet):
                return (
                    f"{where}subnet {subnet} has in it {text} of hijackCIDR, which pods then reach"
                    " through their node and not directly; use another subnet, or take it out there"
                )
    return None


def _is_within(inner: IPNetwork, outer: IPNetwork) -> bool:
    """Whether all of one network is in another of the same family."""
    return inner.prefixlen >= outer.prefixlen and inner.network_address in outer
