"""cniType ib-sriov. Keys: k8snetworkplumbingwg/ib-sriov-cni, README."""

from __future__ import annotations

from spidercoordinator.api.sriov import IBSriovNetwork
from spidercoordinator.core.network.render.plugin import Addressing, Plugins, present


def render(network: IBSriovNetwork, addressing: Addressing) -> Plugins:
    """`ibKubernetesEnabled` is off in the plugin, so only true is written."""
    main = present(
        type="ib-sriov",
        pkey=network.pkey,
        link_state=network.link_state,
        rdmaIsolation=network.rdma_isolation,
        ibKubernetesEnabled=network.enable_ib_kubernetes or None,
    )
    return Plugins(main=main | addressing.keys(network.ippools), resource=network.resource_name)
