"""Rules about the interface that a main plugin makes: VLANs, bonds, MTU."""

from __future__ import annotations

import re
from typing import Final

from spidercoordinator.api.networks import LEAST_MTU_IPV6, MacvlanNetwork, MasterNetwork
from spidercoordinator.api.ovs import OVSNetwork
from spidercoordinator.api.sriov import IBSriovNetwork
from spidercoordinator.core.network.bondoptions import bond_faults
from spidercoordinator.core.network.compatibility.rule import Subject
from spidercoordinator.core.network.render.plugin import is_in_pod, link

_IPV6: Final = 6
_TWO: Final = 2
_VLAN_INTERFACE: Final = re.compile(r".+\.[0-9]{1,4}")


def untagged_vlan(subject: Subject) -> str | None:
    """A VLAN network without a VLAN."""
    vlan = subject.spec.vlan
    if vlan is None or vlan.vlan_mode == "auto" or vlan.vlan_id:
        return None
    value = "it is not set" if vlan.vlan_id is None else "0"
    return (
        f"{value}: frames carry VLAN 0, which is a priority tag and no VLAN; write 1 to 4094,"
        " unless something beside the node sets the VLAN"
    )


def double_tagged(subject: Subject) -> str | None:
    """A VLAN on what is a VLAN interface already."""
    network = subject.spec.network
    if not isinstance(network, MasterNetwork) or not network.vlan_id or len(network.master) > 1:
        return None
    master = network.master[0]
    if not _VLAN_INTERFACE.fullmatch(master):
        return None
    return (
        f"VLAN {network.vlan_id} is made on {master}, which looks like a VLAN interface itself:"
        " frames carry two tags; remove vlanID if that is not meant"
    )


def bond_of_one(subject: Subject) -> str | None:
    """A bond of a single master, which is not made."""
    network = subject.spec.network
    if not isinstance(network, MasterNetwork) or network.bond is None or len(network.master) > 1:
        return None
    return (
        f"bond {network.bond.name} is not made, for there is one master only, {network.master[0]};"
        " name further masters, or remove the bond"
    )


def mtu_without_ipv6(subject: Subject) -> str | None:
    """An MTU that IPv6 cannot use."""
    mtu = getattr(subject.spec.network, "mtu", None)
    if not mtu or mtu >= LEAST_MTU_IPV6 or (subject.families and _IPV6 not in subject.families):
        return None
    return (
        f"{mtu} is below {LEAST_MTU_IPV6}, with which an interface has no IPv6: pods that get an"
        f" IPv6 address fail to start; use {LEAST_MTU_IPV6} or more"
    )


def trunk_overlap(subject: Subject) -> str | None:
    """A VLAN that is in the trunk twice."""
    network = subject.spec.network
    items = network.trunk or () if isinstance(network, OVSNetwork) else ()
    known: set[int] = set()
    for item in items:
        if item.id is not None:
            ids = {item.id}
        else:
            ids = set(range(item.min_id or 0, (item.max_id or 0) + 1))
        if both := known & ids:
            return f"VLAN {min(both)} is in it twice; name each VLAN once"
        known |= ids
    return None


def ignored_trunk_range(subject: Subject) -> str | None:
    """A range of a trunk that begins with VLAN 0; ovs-cni takes that for no range."""
    network = subject.spec.network
    items = network.trunk or () if isinstance(network, OVSNetwork) else ()
    for item in items:
        if item.min_id == 0 and item.max_id is not None:
            fails = ", and pods fail, since the trunk has no other VLAN" if len(items) == 1 else ""
            instead = f"minID 1 for VLANs 1 to {item.max_id}, and " if item.max_id else ""
            return (
                f"the range 0 to {item.max_id} is passed over by ovs-cni{fails}; write {instead}"
                "id 0 for frames with tag 0"
            )
    return None


def vlan_with_trunk(subject: Subject) -> str | None:
    """A VLAN of the port beside a trunk, where ovs-cni passes over it."""
    network = subject.spec.network
    if not isinstance(network, OVSNetwork) or not network.vlan or not network.trunk:
        return None
    return (
        f"{network.vlan} has no effect beside trunk: ovs-cni makes a trunk port, on which pods tag"
        " the frames of each VLAN themselves; remove vlan, or the trunk"
    )


def link_is_off(subject: Subject) -> str | None:
    """A virtual function whose link is kept down."""
    network = subject.spec.network
    if not isinstance(network, IBSriovNetwork) or network.link_state != "disable":
        return None
    return "disable keeps the link of the virtual function down, so pods have no traffic; use auto"


def link_on_node(subject: Subject) -> str | None:
    """A master that is looked for in the pod, and made on the node."""
    network = subject.spec.network
    if not isinstance(network, MacvlanNetwork) or not network.link_in_container:
        return None
    if is_in_pod(network):
        return None
    return (
        f"true, so {link(network)} is looked for in the pod, but the VLAN interface or bond of that"
        " name is made on the node, and pods fail to start; remove linkInContainer, or vlanID, bond"
        " and further masters"
    )


def invalid_bond_options(subject: Subject) -> str | None:
    """Options with which the ifacer plugin, or the kernel, makes no bond."""
    network = subject.spec.network
    if not isinstance(network, MasterNetwork) or network.bond is None or len(network.master) < _TWO:
        return None
    bond = network.bond
    return next(bond_faults(bond.options or "", bond.mode, network.master), None)
