"""Whether pods get vethLinkAddress on veth0, which of them do, and whether it is a wise choice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from spidercoordinator.api.scalars import OFF, IPAddress, parse_ip, parse_network
from spidercoordinator.core.cidrs.nodeaddresses import NodeAddresses
from spidercoordinator.core.status.conditions import ConditionState
from spidercoordinator.core.status.warnings import FieldWarning

OWNED: Final = {
    "169.254.169.254": "the metadata service of clouds",
    "169.254.169.253": "the resolver of AWS",
    "169.254.169.123": "the time service of AWS",
    "169.254.170.2": "the credentials service of AWS",
    "169.254.170.23": "EKS Pod Identity",
    "169.254.7.127": "the health probes of Istio's ambient mode",
    "169.254.20.10": "the node-local DNS cache",
    "169.254.25.10": "the node-local DNS cache of Kubespray",
    "169.254.1.1": "the gateway Calico gives its pods",
    "fe80::ecee:eeff:feee:eeee": "the gateway Calico gives its pods",
    "169.254.169.252": "the metadata server of GKE",
    "169.254.0.252": "Antrea's Services",
    "169.254.0.253": "Antrea's Services",
    "fe80::a9fe:a9fe": "the metadata service of OpenStack",
    "fd00:ec2::254": "the metadata service of AWS",
    "fd00:ec2::253": "the resolver of AWS",
    "fd00:ec2::123": "the time service of AWS",
    "fd00:ec2::23": "EKS Pod Identity",
    "fd20:ce::254": "the metadata service of Google Cloud",
    "168.63.129.16": "the platform of Azure",
    "100.100.100.200": "the metadata service of Alibaba Cloud",
    "100.100.100.100": "the resolver of Tailscale",
    "fd16:9254:7127:1337:ffff:ffff:ffff:ffff": "the health probes of Istio's ambient mode",
    "169.254.0.0": "the network 169.254.0.0/16 as a whole",
    "169.254.255.255": "all hosts of 169.254.0.0/16, as their broadcast address",
}
"""Addresses that are used for something else, and for what."""

CONDITION: Final = "VethLinkAddress"
NEEDED_BY_ISTIO: Final = "IstioNeedsIt"
"""Reason of the condition: there is a mesh, and no address."""
ADVISED: Final = "169.254.100.1"

_IPV4: Final = 4
_IPV6: Final = 6
_NO_VETH: Final = {
    "disabled": "the coordinator does nothing in mode disabled, so pods have no veth0",
    "disable": "the coordinator does nothing in mode disabled, so pods have no veth0",
    "overlay": "pods have no veth0 in mode overlay, in which the cluster's network connects them",
}
_REASON_OF_MODE: Final = {"disabled": "Disabled", "disable": "Disabled", "overlay": "Overlay"}


@lru_cache(maxsize=64)
def link_address_condition(
    address: str,
    *,
    mode: str = "auto",
    families: frozenset[int] | None = None,
    istio: bool = False,
) -> ConditionState:
    """The condition VethLinkAddress: True when pods get the address, False when they do not.

    The plugin puts it on veth0 of a pod whose interface has an address of the same family
    (cni/internal/plan/veth.go).

    Args:
        address: The value in effect; empty or `none` for no address.
        mode: The coordinator's mode in effect.
        families: IP versions of the pods' addresses; None when that is unknown.
        istio: Whether Istio is installed, which needs an address.
    """
    if mode in _NO_VETH:
        return ConditionState(
            CONDITION, status=False, reason=_REASON_OF_MODE[mode], message=_NO_VETH[mode]
        )
    parsed = parse_ip(address)
    if parsed is None:
        return _without_address(address, istio=istio)
    mine = f"IPv{parsed.version}"
    if families is not None and parsed.version not in families:
        text = f"pods have no {mine} address, and vethLinkAddress {address} is put on veth0 of such"
        return ConditionState(CONDITION, status=False, reason="FamilyMismatch", message=text)
    if families == frozenset({parsed.version}):
        text = f"veth0 of pods has {address}"
    elif parsed.version == _IPV4:
        text = (
            f"veth0 of pods with an IPv4 address has {address}; with IPv6 alone they do not get it"
        )
    else:
        text = (
            f"veth0 of pods with an IPv6 address has {address}; no pod has an IPv4 address on veth0"
        )
    return ConditionState(CONDITION, status=True, reason="Set", message=text)


def _without_address(address: str, *, istio: bool) -> ConditionState:
    if istio:
        text = (
            f"Istio is installed and vethLinkAddress is {address or 'not set'}: what reaches a mesh"
            " pod from its own node over IPv4 is dropped in the pod; set it to"
            f" {ADVISED} here or in the networks of mesh pods, and restart these"
        )
        return ConditionState(CONDITION, status=False, reason=NEEDED_BY_ISTIO, message=text)
    if address == OFF:
        text = (
            "vethLinkAddress is none: veth0 has no address; a mesh that redirects traffic needs one"
        )
        return ConditionState(CONDITION, status=False, reason="SwitchedOff", message=text)
    text = "veth0 has no address; a mesh that redirects traffic in the pod needs one"
    return ConditionState(CONDITION, status=False, reason="Unset", message=text)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the cluster that an address could collide with.

    Attributes:
        pod_cidr: pod CIDRs.
        service_cidr: service CIDRs.
        gateways: gateways of policyRoutes.
        nodes: addresses of nodes.
    """

    pod_cidr: Iterable[str] = ()
    service_cidr: Iterable[str] = ()
    gateways: Iterable[str] = ()
    nodes: NodeAddresses = NodeAddresses()  # noqa: RUF009 - it is immutable

    @property
    def families(self) -> frozenset[int] | None:
        """IP versions the cluster uses; None when nothing is known."""
        networks = (parse_network(each) for each in (*self.pod_cidr, *self.service_cidr))
        return frozenset(each.version for each in networks if each) or None


def link_address_warnings(
    address: str, field: str, surroundings: Surroundings, families: frozenset[int] | None = None
) -> Iterator[FieldWarning]:
    """What may not work with an address that is set.

    Args:
        address: The value; empty, `none` and what is no address are not warned of.
        field: Path of the field it is in.
        surroundings: What is known of the cluster.
        families: IP versions of the pods' addresses; None when that is unknown.
    """
    parsed = parse_ip(address)
    if parsed is None:
        return
    taken = _taken(parsed, surroundings)
    if taken:
        text = (
            f"{address} belongs to {taken}, which pods can then not reach; choose another one from"
            f" 169.254.0.0/16, such as {ADVISED}"
        )
        yield FieldWarning("AddressInUse", field, text)
    elif not parsed.is_link_local:
        text = (
            f"{address} is not link-local; pods can then not reach the machine that has this"
            f" address, such as a node; choose one from 169.254.0.0/16, such as {ADVISED}"
        )
        yield FieldWarning("NotLinkLocal", field, text)
    families = families or surroundings.families
    if parsed.version == _IPV6 and (families is None or _IPV4 in families):
        text = (
            f"{address} is an IPv6 address, so veth0 has none for IPv4: what a mesh redirects in an"
            f" IPv4 pod is dropped; choose an IPv4 address such as {ADVISED}, for veth0 has a"
            " link-local IPv6 address anyhow"
        )
        yield FieldWarning("NoIPv4LinkAddress", field, text)


def _taken(address: IPAddress, surroundings: Surroundings) -> str:
    """Whose the address is, empty if it is nobody's that is known."""
    if owner := OWNED.get(str(address)):
        return owner
    for what, cidrs in (
        ("pods, by the pod CIDR", surroundings.pod_cidr),
        ("Services, by the service CIDR", surroundings.service_cidr),
    ):
        for cidr in cidrs:
            network = parse_network(cidr)
            if network is not None and address in network:
                return f"{what} {cidr}"
    if any(parse_ip(each) == address for each in surroundings.gateways):
        return "a gateway of policyRoutes"
    node = surroundings.nodes.owner(address)
    return f"node {node}" if node else ""
