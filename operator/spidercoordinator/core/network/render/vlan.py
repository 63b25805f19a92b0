"""cniType vlan. Keys: https://www.cni.dev/plugins/current/main/vlan/, `vlanMode`: Spiderpool's."""

from __future__ import annotations

from spidercoordinator.api.networks import VlanNetwork
from spidercoordinator.core.network.render.plugin import (
    Addressing,
    Plugins,
    ifacer,
    parent,
    present,
)


def render(network: VlanNetwork, addressing: Addressing) -> Plugins:
    """The plugin makes the VLAN itself, so only a bond needs preparing."""
    vlan_id = (network.vlan_id or 0) if network.vlan_mode == "manual" else None
    main = present(
        type="vlan",
        master=parent(network),
        vlanMode=network.vlan_mode,
        vlanId=vlan_id,
        mtu=network.mtu,
    )
    return Plugins(
        main=main | addressing.keys(network.ippools), before=ifacer(network, vlan_id=None)
    )
