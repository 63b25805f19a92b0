"""cniType macvlan. Keys: https://www.cni.dev/plugins/current/main/macvlan/."""

from __future__ import annotations

from spidercoordinator.api.networks import MacvlanNetwork
from spidercoordinator.core.network.render.plugin import Addressing, Plugins, ifacer, link, present


def render(network: MacvlanNetwork, addressing: Addressing) -> Plugins:
    """`mode` is always bridge, so that pods of one node reach each other."""
    main = present(type="macvlan", master=link(network), mode="bridge", mtu=network.mtu)
    return Plugins(
        main=main | addressing.keys(network.ippools),
        before=ifacer(network, vlan_id=network.vlan_id),
    )
