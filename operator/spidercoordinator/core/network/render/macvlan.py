"""cniType macvlan. Keys: https://www.cni.dev/plugins/current/main/macvlan/."""

from __future__ import annotations

from spidercoordinator.api.networks import MacvlanNetwork
from spidercoordinator.core.network.render.plugin import Addressing, Plugins, ifacer, link, present


def render(network: MacvlanNetwork, addressing: Addressing) -> Plugins:
    """`linkInContainer` is off in the plugin, so only true is written."""
    main = present(
        type="macvlan",
        master=link(network),
        mode=network.mode,
        mtu=network.mtu,
        linkInContainer=network.link_in_container or None,
    )
    return Plugins(
        main=main | addressing.keys(network.ippools),
        before=ifacer(network, vlan_id=network.vlan_id),
    )
