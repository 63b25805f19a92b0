"""cniType sriov. Keys: k8snetworkplumbingwg/sriov-cni, docs/configuration-reference.md."""

from __future__ import annotations

from spidercoordinator.api.sriov import SriovNetwork
from spidercoordinator.core.network.render.plugin import Addressing, Plugin, Plugins, present


def render(network: SriovNetwork, addressing: Addressing) -> Plugins:
    """The MTU is set by `tuning` right after, so that all later plugins see it."""
    main = present(
        vlan=network.vlan_id,
        min_tx_rate=network.min_tx_rate_mbps,
        max_tx_rate=network.max_tx_rate_mbps,
        vlanQoS=network.vlan_qos,
        spoofchk=network.spoofchk,
        trust=network.trust,
        type="sriov",
    )
    after: tuple[Plugin, ...] = ({"type": "rdma"},) if network.rdma_isolation else ()
    if network.mtu:
        after = (*after, {"type": "tuning", "mtu": network.mtu})
    return Plugins(
        main=main | addressing.keys(network.ippools), after=after, resource=network.resource_name
    )
