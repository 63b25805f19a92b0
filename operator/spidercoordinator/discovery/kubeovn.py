"""Kube-OVN: its Subnets, from which pods have their addresses whatever the nodes' podCIDRs say.

Those count that pods of the default VPC get their first interface from. The subnet `join` connects
the nodes to that VPC, so it shows which one it is. A subnet with a VLAN is one of the physical
network, which routes to it, unless its gateway is Kube-OVN's own router. One of another VPC cannot
be reached from the nodes, and one of another provider is for further interfaces
(pkg/apis/kubeovn/v1/subnet.go).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.daemonsets import daemon_set, deployed, running
from spidercoordinator.discovery.shapes import needed_text, section, split, text
from spidercoordinator.discovery.source import Observations, WatchedObjects, unread
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import KUBE_OVN_SUBNETS

_JOIN: Final = "join"
_DEFAULT_VPC: Final = "ovn-cluster"
_FIRST_INTERFACE: Final = "ovn"


@dataclass(frozen=True, slots=True, order=True)
class _Subnet:
    # The default subnet first, then the oldest, and by name where two are of the same second.
    further: bool
    created: str
    name: str
    vpc: str
    cidrs: tuple[str, ...]


def read_subnet(obj: Object) -> _Subnet | None:
    """What is kept of a Subnet, None when pods do not get their first interface from it.

    Raises:
        OddObjectError: it has no range.
    """
    spec, meta = section(obj, "spec"), obj["metadata"]
    physical = bool(spec.get("vlan")) and spec.get("logicalGateway") is not True
    provider = text(spec, "provider") or _FIRST_INTERFACE
    if physical or provider != _FIRST_INTERFACE:
        return None
    cidrs = split(needed_text(obj, "spec", "cidrBlock"))
    further = spec.get("default") is not True
    vpc = text(spec, "vpc") or _DEFAULT_VPC
    return _Subnet(further, meta.get("creationTimestamp", ""), meta["name"], vpc, cidrs)


def _of_pods(subnets: list[_Subnet]) -> tuple[str, ...]:
    vpc = next((each.vpc for each in subnets if each.name == _JOIN), _DEFAULT_VPC)
    of_pods = (each for each in subnets if each.name != _JOIN and each.vpc == vpc)
    return tuple(dict.fromkeys(cidr for each in of_pods for cidr in each.cidrs))


SUBNETS: Final = WatchedObjects(
    "Kube-OVN Subnet for pods", Selection((KUBE_OVN_SUBNETS,)), read_subnet
)


def agents(namespaces: Iterable[str]) -> WatchedObjects:
    """Kube-OVN's agents, in the namespaces of the cluster's own components."""
    return daemon_set("kube-ovn-cni", namespaces)


@dataclass(frozen=True)
class KubeOVN:
    """See the module.

    Attributes:
        agents: its DaemonSet.
    """

    agents: WatchedObjects

    @property
    def watched(self) -> tuple[WatchedObjects, ...]:
        """Its subnets, its agents, and the nodes, which show whether it is in use."""
        return (SUBNETS, self.agents, *nodes.RANGES)

    def report(self, observations: Observations) -> SourceReport:
        """The subnets; while its agents are deployed the cluster's own pod CIDRs do not count."""
        observed = observations[SUBNETS.title]
        cidrs = _of_pods(sorted(observed.entries.values()))
        missing = observed.why_empty(SUBNETS)
        if observed.entries:
            missing = "no Kube-OVN Subnet but join is in the default VPC"
        # Agents that cannot be read are no sign of it where its Subnets are known to be absent.
        has_subnets = bool(observed.entries or observed.unread(SUBNETS))
        agents_deployed = deployed(observations[self.agents.title])
        in_use = has_subnets and agents_deployed
        pod, warning = cidrs, ""
        if not in_use:
            pod, warning = nodes.without_left_overs("Kube-OVN in its Subnets", cidrs, observations)
        return SourceReport(
            "Kube-OVN Subnets",
            kinds=("pod",),
            pod=pod,
            missing="" if pod else warning or missing,
            warning=warning,
            unread=unread(observations, SUBNETS, self.agents),
            supersedes_cluster=in_use,
            holds=agents_deployed,
            runs=running(observations[self.agents.title]),
        )
