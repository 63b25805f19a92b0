"""cniType ipvlan. Keys: https://www.cni.dev/plugins/current/main/ipvlan/."""

from __future__ import annotations

from spidercoordinator.api.networks import IpvlanNetwork
from spidercoordinator.core.network.render.plugin import Addressing, Plugins, ifacer, link, present


def render(network: IpvlanNetwork, addressing: Addressing) -> Plugins:
    """No `mode`: the plugin's own default, l2, is the one that fits an underlay."""
    main = present(type="ipvlan", master=link(network), mtu=network.mtu)
    return Plugins(
        main=main | addressing.keys(network.ippools),
        before=ifacer(network, vlan_id=network.vlan_id),
    )
