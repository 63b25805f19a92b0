"""The list of sources, most trusted first. Adding one is a file and a line here.

What knows the whole range comes before what knows today's part of it, so that a node that joins
changes nothing:

1. ServiceCIDR objects: what the API server itself allocates from. Nobody else knows of those that
   were added later.
2. What a distribution keeps as its configuration: OpenShift, kubeadm, k3s and RKE2, k0s. One
   cluster has one of these.
3. Flags of the control plane, which say the same where it runs as pods, and Antrea's node IPAM,
   which does the controller manager's work where that does not.
4. What CNI plugins are configured with: first those that hand it out, then flannel, which routes
   what the cluster hands out, then kube-proxy and kube-router, which are told it.
5. Nodes, one by one. Where only they tell, a condition says so.

Kube-OVN and OVN-Kubernetes hand out addresses of their own; while their agents are deployed, the
cluster's sources do not count for pods (core/cidrs/precedence). Antrea's IPPools are beside what
the other sources tell.
"""

from __future__ import annotations

from collections.abc import Iterable

from spidercoordinator.discovery import calico, cilium, flannel, kubeovn
from spidercoordinator.discovery.antrea import AntreaNodeIPAM, AntreaPools
from spidercoordinator.discovery.azure import AzureOverlay
from spidercoordinator.discovery.calico import Calico, CalicoPools
from spidercoordinator.discovery.cilium import Cilium, CiliumAddresses, cilium_config
from spidercoordinator.discovery.controlplane import ControlPlane
from spidercoordinator.discovery.flannel import Flannel
from spidercoordinator.discovery.k0s import K0s
from spidercoordinator.discovery.k3s import K3s
from spidercoordinator.discovery.kubeadm import Kubeadm
from spidercoordinator.discovery.kubeovn import KubeOVN
from spidercoordinator.discovery.kubeproxy import KubeProxy
from spidercoordinator.discovery.kuberouter import KubeRouter
from spidercoordinator.discovery.nodes import Nodes
from spidercoordinator.discovery.openshift import OpenShift
from spidercoordinator.discovery.ovnkubernetes import ovn_kubernetes
from spidercoordinator.discovery.servicecidrs import ServiceCIDRs
from spidercoordinator.discovery.source import Detector, Source


def sources(
    cilium_config_map: tuple[str, str], agent_namespaces: Iterable[str]
) -> tuple[Source, ...]:
    """All sources that can be watched; the dry run is asked only when these know no service CIDR.

    Args:
        cilium_config_map: namespace and name of Cilium's ConfigMap.
        agent_namespaces: the namespaces of the cluster's own components.
    """
    return (
        ServiceCIDRs(),
        OpenShift(),
        Kubeadm(),
        K3s(),
        K0s(),
        ControlPlane("kube-controller-manager", ("pod", "service")),
        ControlPlane("kube-apiserver", ("service",)),
        AntreaNodeIPAM(),
        AzureOverlay(),
        ovn_kubernetes(agent_namespaces),
        KubeOVN(kubeovn.agents(agent_namespaces)),
        Flannel(flannel.config_maps(agent_namespaces), flannel.agents(agent_namespaces)),
        KubeProxy(),
        KubeRouter(),
        AntreaPools(),
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
