"""The list of sources, most trusted first. Adding one is a file and a line here."""

from __future__ import annotations

from collections.abc import Iterable

from spidercoordinator.discovery import calico, cilium
from spidercoordinator.discovery.calico import Calico, CalicoPools
from spidercoordinator.discovery.cilium import Cilium, CiliumAddresses, cilium_config
from spidercoordinator.discovery.controlplane import ControlPlane
from spidercoordinator.discovery.kubeadm import Kubeadm
from spidercoordinator.discovery.nodes import Nodes
from spidercoordinator.discovery.servicecidrs import ServiceCIDRs
from spidercoordinator.discovery.source import Detector, Source


def sources(cilium_config_map: tuple[str, str]) -> tuple[Source, ...]:
    """All sources that can be watched; the dry run is asked only when these know no service CIDR.

    Args:
        cilium_config_map: namespace and name of Cilium's ConfigMap.
    """
    return (
        ServiceCIDRs(),
        Kubeadm(),
        ControlPlane("kube-controller-manager", ("pod", "service")),
        ControlPlane("kube-apiserver", ("service",)),
        Nodes(),
        CalicoPools(),
        CiliumAddresses(cilium_config(*cilium_config_map)),
    )


def detectors(
    cilium_config_map: tuple[str, str], agent_namespaces: Iterable[str]
) -> tuple[Detector, ...]:
    """All CNI plugins that `podCIDRType: auto` recognises.

    Args:
        cilium_config_map: namespace and name of Cilium's ConfigMap; its agents may be there, too.
        agent_namespaces: the namespaces of the cluster's own components.
    """
    of_cilium = {*agent_namespaces, cilium_config_map[0]}
    return (
        Calico(calico.agents(agent_namespaces)),
        Cilium(cilium_config(*cilium_config_map), cilium.agents(of_cilium)),
    )
