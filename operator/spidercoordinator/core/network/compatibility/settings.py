"""Rules about the coordinator's settings of a network, its own and inherited ones."""

from __future__ import annotations

from typing import Final

from spidercoordinator.api.multus import NO_OWN_MAC
from spidercoordinator.api.networks import LEAST_MTU_IPV6
from spidercoordinator.api.scalars import OFF, parse_ip
from spidercoordinator.core.coordinator.linkaddress import ADVISED
from spidercoordinator.core.network.addresses import subnets
from spidercoordinator.core.network.compatibility.rule import Subject

_IPV6: Final = 6


def inherited_mac_prefix(subject: Subject) -> str | None:
    """The cluster's MAC prefix at an interface that takes no MAC address."""
    spec, own = subject.spec, subject.spec.coordinator
    if spec.cni_type not in NO_OWN_MAC or not subject.coordinated or subject.cluster is None:
        return None
    prefix = subject.cluster.spec.pod_mac_prefix
    if prefix in {None, "", OFF} or (own and own.pod_mac_prefix == OFF):
        return None
    return (
        f"{prefix} of SpiderCoordinator {subject.cluster.name} is left out: interfaces of cniType"
        f' {spec.cni_type} take no MAC address of their own; write "{OFF}" here to say so'
    )


def inherited_veth_mtu(subject: Subject) -> str | None:
    """The cluster's MTU of veth0, which IPv6 cannot use, for pods with IPv6."""
    mtu = subject.effective.get("veth_mtu")
    if not subject.coordinated or mtu is None or mtu >= LEAST_MTU_IPV6:
        return None
    if _IPV6 not in (subject.families or ()) or _sets_mtu(subject):
        return None
    return (
        f"{mtu} of the SpiderCoordinator is below {LEAST_MTU_IPV6}, with which veth0 has no IPv6,"
        " and pods of this network have IPv6 addresses: they fail to start; set"
        f" {LEAST_MTU_IPV6} or more"
    )


def unreachable_gateway(subject: Subject) -> str | None:
    """A policy route whose gateway is in none of the pods' subnets."""
    own, known = subject.spec.coordinator, subnets(subject.spec, subject.ipam.default)
    if own is None or not own.policy_routes or not known or not subject.coordinated:
        return None
    for route in own.policy_routes:
        gateway = parse_ip(route.gw)
        if gateway is not None and not any(gateway in subnet for subnet in known):
            shown = ", ".join(map(str, known))
            return (
                f"gateway {route.gw} of {route.dst} is in no subnet of ipam ({shown}), so pods do"
                " not get the route; name a router in one of them"
            )
    return None


def link_address_in_subnet(subject: Subject) -> str | None:
    """An address of veth0 that pods or the router have on the network itself."""
    if not subject.coordinated or subject.effective.get("mode") == "overlay":
        return None
    address = parse_ip(subject.effective.get("veth_link_address") or "")
    if address is None:
        return None
    for subnet in subnets(subject.spec, subject.ipam.default):
        if address in subnet:
            return (
                f"{address} is in subnet {subnet} of the network, so pods do not reach who has it"
                f" there, another pod or the router; choose one elsewhere, such as {ADVISED}"
            )
    return None


def probe_on_infiniband(subject: Subject) -> str | None:
    """Probes of Ethernet on InfiniBand."""
    if subject.spec.cni_type not in {"ib-sriov", "ipoib"} or not subject.coordinated:
        return None
    probes = [
        name
        for name, field in (
            ("detectGateway", "detect_gateway"),
            ("detectIPConflict", "detect_ip_conflict"),
        )
        if subject.effective.get(field)
    ]
    if not probes:
        return None
    return (
        f"{' and '.join(probes)} send Ethernet frames, which InfiniBand does not carry: the"
        " gateway never answers, and pods fail to start; set false here"
    )


def no_effect_of_type(subject: Subject) -> str | None:
    """A source of CIDRs for one network."""
    own = subject.spec.coordinator
    return "has no effect here, only in SpiderCoordinator" if own and own.pod_cidr_type else None


def no_effect_of_address(subject: Subject) -> str | None:
    """An address of veth0 where there is no veth0."""
    own = subject.spec.coordinator
    if own is None or own.veth_link_address in {None, "", OFF}:
        return None
    if subject.coordinated and subject.effective.get("mode") != "overlay":
        return None
    return (
        f"{own.veth_link_address} has no effect: pods of this network have no veth0, since the"
        " coordinator is off or in mode overlay"
    )


def _sets_mtu(subject: Subject) -> bool:
    own = subject.spec.coordinator
    return own is not None and own.veth_mtu is not None
