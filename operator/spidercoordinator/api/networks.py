"""One model a CNI type: the objects under SpiderMultusConfig.spec that describe a main plugin."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from spidercoordinator.api.base import Model
from spidercoordinator.api.rules import Rule, Unique
from spidercoordinator.api.scalars import (
    WHOLE,
    InterfaceName,
    LinkMTU,
    OptionalResourceName,
    PoolName,
    VlanID,
)

MAX_INTERFACE_NAME = 15
PRESERVE = "x-kubernetes-preserve-unknown-fields"

PoolNames = Annotated[
    tuple[PoolName, ...],
    Field(max_length=64, strict=False),
    Unique(),
]


class IPPools(Model):
    """Spiderpool IP pools that addresses are taken from."""

    ipv4: Annotated[PoolNames | None, Field(description="IPv4 pools, tried in this order.")] = None
    ipv6: Annotated[PoolNames | None, Field(description="IPv6 pools, tried in this order.")] = None
    match_master_subnet: Annotated[
        bool,
        Field(description="Whether only pools of the master's subnet are used (sriov only)."),
    ] = False


class Bond(Model):
    """A bond made of the masters."""

    name: Annotated[InterfaceName, Field(description="Name of the bond interface.")]
    mode: Annotated[
        int,
        Field(
            description="Mode of the bond, 0 to 6, as the kernel counts them (4 is LACP).",
            ge=0,
            le=6,
            json_schema_extra={"format": "int32"},
        ),
        WHOLE,
    ]
    options: Annotated[
        str | None,
        Field(description="Further options such as miimon=100;min_links=1.", max_length=1024),
    ] = None


NO_MATCH_MASTER_SUBNET = Rule(
    cel="!has(self.ippools) || !has(self.ippools.matchMasterSubnet)"
    " || !self.ippools.matchMasterSubnet",
    holds=lambda network: not (network.ippools and network.ippools.match_master_subnet),
    message="ippools.matchMasterSubnet works with cniType sriov only; remove it",
    at="ippools.matchMasterSubnet",
    reason="FieldValueForbidden",
)


class IPAM(Model):
    """IPAM section of a main plugin; anything beside `type` is the IPAM plugin's own."""

    model_config = ConfigDict(extra="allow", json_schema_extra={PRESERVE: True})

    type: Annotated[
        str,
        Field(description="The IPAM plugin, such as whereabouts.", min_length=1, max_length=253),
    ]


class Capabilities(Model):
    """What a pod may ask for in its networks annotation."""

    ips: Annotated[
        bool,
        Field(
            description="Whether a pod may name its addresses: ips, as host-local and static do."
        ),
    ] = False
    mac: Annotated[bool, Field(description="Whether a pod may name its MAC address: mac.")] = False


class NetworkSettings(Model):
    """What the objects of all CNI types have in common."""

    ippools: Annotated[
        IPPools | None,
        Field(description="Spiderpool IP pools; unset leaves the choice to the IPAM plugin."),
    ] = None


LEAST_MTU_IPV6 = 1280
"""Of IPv6 (RFC 8200); the kernel takes IPv6 off an interface below it."""


def _mtu_bears_ipv6(network: Any) -> bool:
    pools = network.ippools
    return not network.mtu or network.mtu >= LEAST_MTU_IPV6 or not (pools and pools.ipv6)


MTU_BEARS_IPV6 = Rule(
    cel=f"!has(self.mtu) || self.mtu == 0 || self.mtu >= {LEAST_MTU_IPV6} || !has(self.ippools)"
    " || !has(self.ippools.ipv6) || size(self.ippools.ipv6) == 0",
    holds=_mtu_bears_ipv6,
    message=f"mtu must be at least {LEAST_MTU_IPV6} in a network with ippools.ipv6: an interface"
    " with less has no IPv6",
    at="mtu",
)


def _bond_is_no_master(network: "MasterNetwork") -> bool:
    several = len(network.master) > 1
    return not (several and network.bond and network.bond.name in network.master)


def _link_name_fits(network: "MasterNetwork") -> bool:
    if not network.vlan_id or (len(network.master) > 1 and network.bond is None):
        return True
    parent = network.bond.name if len(network.master) > 1 and network.bond else network.master[0]
    return len(f"{parent}.{network.vlan_id}") <= MAX_INTERFACE_NAME


class MasterNetwork(NetworkSettings):
    """A network on one of the node's interfaces, or on a bond of several."""

    master: Annotated[
        tuple[InterfaceName, ...],
        Field(
            description="The node's interface, or several that a bond is made of.",
            min_length=1,
            max_length=16,
            strict=False,
        ),
        Unique(),
    ]
    mtu: Annotated[
        LinkMTU | None,
        Field(description="MTU of the pod's interface; unset or 0: that of the master."),
    ] = None
    vlan_id: Annotated[
        VlanID | None,
        Field(
            description="VLAN of the master, made if absent; 0: none (with cniType vlan: untagged)."
        ),
    ] = None
    bond: Annotated[
        Bond | None, Field(description="The bond of the masters; needed if there are several.")
    ] = None
    rdma_resource_name: Annotated[
        OptionalResourceName | None,
        Field(description="Device plugin resource for RDMA, put into pods that ask for it."),
    ] = None


_BOND_NEEDED = Rule(
    cel="size(self.master) < 2 || has(self.bond)",
    holds=lambda network: len(network.master) < 2 or network.bond is not None,  # noqa: PLR2004
    message="bond is needed when there are several masters: give its name and mode",
    at="bond",
    reason="FieldValueRequired",
)
# `size(string(self.vlanID))` would be shorter, but its cost estimate is unbounded.
_DIGITS = "(self.vlanID < 10 ? 1 : self.vlanID < 100 ? 2 : self.vlanID < 1000 ? 3 : 4)"
_LINK_NAME = Rule(
    cel="!has(self.vlanID) || self.vlanID == 0 || size(self.master) == 0"
    " || (size(self.master) > 1 && !has(self.bond))"
    " || size(size(self.master) > 1 ? self.bond.name : self.master[0]) + 1"
    f" + {_DIGITS} <= {MAX_INTERFACE_NAME}",
    holds=_link_name_fits,
    message="the VLAN interface would be called master.vlanID (or bond.vlanID), which is longer"
    f" than the {MAX_INTERFACE_NAME} characters an interface name may have; use a shorter name",
    at="vlanID",
)
_BOND_IS_NEW = Rule(
    cel="size(self.master) < 2 || !has(self.bond) || !(self.bond.name in self.master)",
    holds=_bond_is_no_master,
    message="bond.name is one of the masters; a bond needs a name of its own, such as bond0",
    at="bond.name",
)
_BOND_RULES = (NO_MATCH_MASTER_SUBNET, _BOND_NEEDED, _BOND_IS_NEW, MTU_BEARS_IPV6)
_MASTER_RULES = (*_BOND_RULES, _LINK_NAME)


class MacvlanNetwork(MasterNetwork):
    """Settings of cniType macvlan."""

    rules: ClassVar = _MASTER_RULES

    mode: Annotated[
        Literal["bridge", "private", "vepa", "passthru"],
        Field(
            description="How pods of one node reach each other. bridge: directly. vepa: by the"
            " switch. private: not at all. passthru: one pod has the master for itself."
        ),
    ] = "bridge"
    link_in_container: Annotated[
        bool,
        Field(description="Whether the master is an interface in the pod instead of the node's."),
    ] = False


class IpvlanNetwork(MasterNetwork):
    """Settings of cniType ipvlan."""

    rules: ClassVar = _MASTER_RULES


class VlanNetwork(MasterNetwork):
    """Settings of cniType vlan."""

    rules: ClassVar = (
        *_BOND_RULES,
        Rule(
            cel="self.vlanMode != 'auto' || !has(self.vlanID)",
            holds=lambda network: network.vlan_mode != "auto" or network.vlan_id is None,
            message="vlanID must be absent with vlanMode auto: the VLAN comes from the IP pool",
            at="vlanID",
            reason="FieldValueForbidden",
        ),
    )

    vlan_mode: Annotated[
        Literal["manual", "auto"],
        Field(description="manual: the VLAN is vlanID. auto: the IP pool names the VLAN."),
    ] = "manual"


class IPoIBNetwork(NetworkSettings):
    """Settings of cniType ipoib."""

    rules: ClassVar = (NO_MATCH_MASTER_SUBNET,)

    master: Annotated[InterfaceName, Field(description="The node's IPoIB interface.")]
