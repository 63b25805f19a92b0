"""cniType ovs. Keys: k8snetworkplumbingwg/ovs-cni, docs/cni-plugin.md."""

from __future__ import annotations

from typing import Final

from spidercoordinator.api.ovs import OVSNetwork
from spidercoordinator.core.network.render.plugin import Addressing, Plugins, present

_RESOURCE_PREFIX: Final = "ovs-cni.network.kubevirt.io/"


def render(network: OVSNetwork, addressing: Addressing) -> Plugins:
    """Without vlan and trunk, vlan 0 is written: leaving it out would make a trunk of all VLANs."""
    vlan = network.vlan if network.vlan is not None or network.trunk else 0
    main = present(
        vlan=vlan,
        type="ovs",
        bridge=network.bridge,
        deviceID=network.device_id or None,
    )
    trunk = [item.wire() for item in network.trunk or ()]
    resource = f"{_RESOURCE_PREFIX}{network.bridge}" if network.device_id else ""
    return Plugins(
        main=main | addressing.keys(network.ippools) | present(trunk=trunk or None),
        resource=resource,
    )
