"""What the renderers of all CNI types share: the plugins they return, IPAM, masters and bonds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from spidercoordinator.api.multus import SPIDERPOOL
from spidercoordinator.api.networks import IPAM, IPPools, MacvlanNetwork, MasterNetwork

Plugin = dict[str, Any]
"""One entry of `plugins`, in the order its keys are written."""


@dataclass(frozen=True, slots=True)
class Plugins:
    """What one network is made of.

    Attributes:
        main: the plugin that makes the interface.
        before: plugins that prepare the node for it.
        after: plugins that tune the interface, before the user's own.
        resource: device plugin resource to put on the NAD, empty for none.
    """

    main: Plugin
    before: tuple[Plugin, ...] = ()
    after: tuple[Plugin, ...] = ()
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Addressing:
    """Where a network's addresses come from; gives the `ipam` key or nothing.

    Attributes:
        disabled: no addresses at all.
        own: the network's `spec.ipam`.
        default: what a network gets that names neither pools nor ipam.
    """

    disabled: bool
    own: IPAM | None
    default: Mapping[str, Any]

    def keys(self, pools: IPPools | None) -> Plugin:
        """The keys to add to the main plugin, given its pools."""
        if self.disabled:
            return {}
        if self.own is not None:
            return {"ipam": self.own.wire()}
        section = _pool_keys(pools)
        return {"ipam": {"type": SPIDERPOOL, **section} if section else dict(self.default)}


def _pool_keys(pools: IPPools | None) -> Plugin:
    if pools is None:
        return {}
    keys: Plugin = {}
    if pools.ipv4:
        keys["default_ipv4_ippool"] = list(pools.ipv4)
    if pools.ipv6:
        keys["default_ipv6_ippool"] = list(pools.ipv6)
    if pools.match_master_subnet:
        keys["match_master_subnet"] = True
    return keys


Renderer = Callable[[Any, Addressing], Plugins]
"""From the object that describes a network (its type's own model) to its plugins."""


def present(**keys: Any) -> Plugin:
    """The keys that have a value; zero is one, None is not."""
    return {key: value for key, value in keys.items() if value is not None}


def parent(network: MasterNetwork) -> str:
    """The interface a network sits on before any VLAN: its master, or the bond of several."""
    if len(network.master) > 1 and network.bond is not None:
        return network.bond.name
    return network.master[0]


def is_in_pod(network: MasterNetwork) -> bool:
    """Whether the master is an interface in the pod, which no node has."""
    inside = isinstance(network, MacvlanNetwork) and network.link_in_container
    return inside and len(network.master) == 1 and not network.vlan_id


def ifacer(network: MasterNetwork, *, vlan_id: int | None) -> tuple[Plugin, ...]:
    """The plugin that makes the VLAN interface and the bond on the node, if the network has one.

    A bond of a single master makes no sense and is left out, with or without a VLAN.
    """
    several = len(network.master) > 1
    if not vlan_id and not several:
        return ()
    plugin: Plugin = {"type": "ifacer", "interfaces": list(network.master)}
    if vlan_id:
        plugin = {"vlanID": vlan_id, **plugin}
    if several and network.bond is not None:
        bond = network.bond
        plugin["bond"] = {"name": bond.name, "mode": bond.mode, "options": bond.options or ""}
    return (plugin,)


def link(network: MasterNetwork) -> str:
    """The interface the main plugin works on: the VLAN interface if there is a VLAN."""
    return f"{parent(network)}.{network.vlan_id}" if network.vlan_id else parent(network)
