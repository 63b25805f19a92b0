"""k0s: ClusterConfig kube-system/k0s, where dynamic configuration is on.

k0s leaves out of it what is at its default, so a spec.network that is absent stands for those of
pkg/apis/k0s/v1beta1/network.go. Without dynamic configuration the object is not there, and
kube-proxy's configuration tells (discovery/kubeproxy).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.backing import IPV4, holding, version
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.shapes import section, split
from spidercoordinator.discovery.source import Observations, WatchedObjects, unread
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import K0S_CLUSTER_CONFIGS

_DEFAULT_POD: Final = "10.244.0.0/16"


@dataclass(frozen=True, slots=True)
class _Network:
    pod: tuple[str, ...] = ()
    service: tuple[str, ...] = ()


def read_cluster_config(obj: Object) -> _Network:
    """The ranges that a ClusterConfig names, those of IPv6 where dual stack is on."""
    network, dual = section(obj, "spec", "network"), section(obj, "spec", "network", "dualStack")
    pod, service = split(network.get("podCIDR")), split(network.get("serviceCIDR"))
    if dual.get("enabled") is True:
        pod += split(dual.get("IPv6podCIDR"))
        service += split(dual.get("IPv6serviceCIDR"))
    return _Network(pod, service)


CONFIG: Final = WatchedObjects(
    "k0s ClusterConfig kube-system/k0s",
    Selection((K0S_CLUSTER_CONFIGS,), namespace="kube-system", fields="metadata.name=k0s"),
    read_cluster_config,
)


@dataclass(frozen=True)
class K0s:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = (CONFIG, *nodes.RANGES)

    def report(self, observations: Observations) -> SourceReport:
        """The ranges of the ClusterConfig, or the default pod CIDR if nodes have theirs from it."""
        observed = observations[CONFIG.title]
        source, not_read = "k0s ClusterConfig", unread(observations, CONFIG, nodes.WATCHED)
        found: _Network | None = next(iter(observed.entries.values()), None)
        if found is None:
            missing = observed.why_empty(CONFIG)
            return SourceReport(source, missing=missing, unread=not_read)
        default: tuple[str, ...] = ()
        undecided: tuple[int, ...] = ()
        if not any(version(cidr) == IPV4 for cidr in found.pod):
            known = nodes.all_cidrs(observations)
            default = holding([_DEFAULT_POD], known)
            # Without nodes nothing shows whether the default is in use.
            undecided = () if any(version(cidr) == IPV4 for cidr in known) else (IPV4,)
        pod = default + found.pod
        parts = []
        if not pod:
            parts.append(
                f"{CONFIG.title} has no spec.network.podCIDR, and no node has podCIDRs of the "
                f"default {_DEFAULT_POD}"
            )
        if not found.service:
            parts.append(f"{CONFIG.title} has no spec.network.serviceCIDR")
        return SourceReport(
            source,
            pod=pod,
            service=found.service,
            missing="; ".join(parts),
            unread=not_read,
            undecided=undecided,
        )
