"""cniType ipoib. Keys: Mellanox/ipoib-cni, README."""

from __future__ import annotations

from spidercoordinator.api.networks import IPoIBNetwork
from spidercoordinator.core.network.render.plugin import Addressing, Plugins


def render(network: IPoIBNetwork, addressing: Addressing) -> Plugins:
    """A child interface of the master."""
    main = {"type": "ipoib", "master": network.master}
    return Plugins(main=main | addressing.keys(network.ippools))
