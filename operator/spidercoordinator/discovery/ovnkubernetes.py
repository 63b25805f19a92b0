"""OVN-Kubernetes: the cluster and service subnets with which its pods are started.

Its own manifests write ConfigMap ovn-kubernetes/ovn-config (dist/templates/ovn-setup.yaml.j2);
MicroShift writes ovnkube.conf in openshift-ovn-kubernetes/ovnkube-config. On OpenShift itself the
Network `cluster` tells the same (discovery/openshift). Networks that users define are not in it.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import daemonsets
from spidercoordinator.discovery.daemonsets import daemon_set, deployed
from spidercoordinator.discovery.nodes import RANGES, without_left_overs
from spidercoordinator.discovery.shapes import split, text
from spidercoordinator.discovery.source import Observations, WatchedObjects, unread
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CONFIG_MAPS

_NAMESPACES: Final = ("ovn-kubernetes", "openshift-ovn-kubernetes")
_OVN_CONFIG_KEYS: Final = ("net_cidr", "svc_cidr")
_OVNKUBE_KEYS: Final = ("cluster-subnets", "service-cidrs")
_CIDR_AND_HOST_LENGTH: Final = 2
"""Slashes in `10.128.0.0/14/23`: a cluster subnet and the prefix length of each node's part."""


@dataclass(frozen=True, slots=True)
class _Subnets:
    pod: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    problem: str = ""

    def __bool__(self) -> bool:
        """Whether all is there that it can tell, for the metric."""
        return not self.problem


def read_ovn_config(obj: Object, namespaces: frozenset[str]) -> _Subnets | None:
    """`net_cidr` and `svc_cidr` of ConfigMap ovn-config."""
    if obj["metadata"].get("namespace") not in namespaces:
        return None
    return _subnets(text(obj, "data", "net_cidr"), text(obj, "data", "svc_cidr"), _OVN_CONFIG_KEYS)


def read_ovnkube_config(obj: Object, namespaces: frozenset[str]) -> _Subnets | None:
    """`cluster-subnets` and `service-cidrs` of ovnkube.conf, which is an INI file.

    None where the file does not name subnets: OVN-Kubernetes' own manifests have it for other
    settings.
    """
    if obj["metadata"].get("namespace") not in namespaces:
        return None
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(text(obj, "data", "ovnkube.conf"))
    except configparser.Error as error:
        return _Subnets(problem=f"ovnkube.conf is no INI file: {str(error).partition(chr(10))[0]}")
    pod = parser.get("default", "cluster-subnets", fallback=None) or ""
    service = parser.get("kubernetes", "service-cidrs", fallback=None) or ""
    return _subnets(pod, service, _OVNKUBE_KEYS) if pod or service else None


def _subnets(pod: str, service: str, keys: tuple[str, str]) -> _Subnets:
    found = _Subnets(
        tuple(_without_host_length(each) for each in split(pod.strip("\"' "))),
        split(service.strip("\"' ")),
    )
    pairs = zip(keys, (found.pod, found.service), strict=True)
    absent = [key for key, cidrs in pairs if not cidrs]
    problem = f"has no {' and no '.join(absent)}" if absent else ""
    return _Subnets(found.pod, found.service, problem)


def _without_host_length(entry: str) -> str:
    return entry.rpartition("/")[0] if entry.count("/") == _CIDR_AND_HOST_LENGTH else entry


@dataclass(frozen=True)
class OVNKubernetes:
    """See the module.

    Attributes:
        config: ConfigMap ovn-config.
        ovnkube: ConfigMap ovnkube-config.
        agents: its DaemonSet.
    """

    config: WatchedObjects
    ovnkube: WatchedObjects
    agents: WatchedObjects

    @property
    def watched(self) -> tuple[WatchedObjects, ...]:
        """Its configuration, its agents, and the nodes, which show whether it is in use."""
        return (self.config, self.ovnkube, self.agents, *RANGES)

    def report(self, observations: Observations) -> SourceReport:
        """Both lists; while its agents are deployed the cluster's own pod CIDRs do not count."""
        source = "OVN-Kubernetes' configuration"
        not_read = unread(observations, self.config, self.ovnkube, self.agents)
        named = [
            (f"ConfigMap {name}", found)
            for watched in (self.config, self.ovnkube)
            for name, found in sorted(observations[watched.title].entries.items())
        ]
        running = deployed(observations[self.agents.title])
        if not named:
            missing = observations[self.config.title].why_empty(self.config)
            # Where it may run with ranges that nobody can read, the cluster's own are no answer.
            hidden = running and bool(unread(observations, self.config, self.ovnkube))
            return SourceReport(
                source,
                missing=missing,
                unread=not_read,
                supersedes_cluster=hidden,
                holds=running,
            )
        where, found = named[0]
        pod, warning = found.pod, ""
        if not running:
            pod, warning = without_left_overs(where, found.pod, observations)
        return SourceReport(
            source,
            pod=pod,
            service=found.service,
            missing=f"{where}: {found.problem}" if found.problem else warning,
            warning=warning,
            unread=not_read,
            supersedes_cluster=running,
            holds=running,
            runs=daemonsets.running(observations[self.agents.title]),
        )


def ovn_kubernetes(namespaces: Iterable[str]) -> OVNKubernetes:
    """The source.

    Args:
        namespaces: those of the cluster's own components; its own are added.
    """
    known = frozenset((*namespaces, *_NAMESPACES))

    def config_map(name: str) -> Selection:
        return Selection((CONFIG_MAPS,), fields=f"metadata.name={name}")

    return OVNKubernetes(
        WatchedObjects(
            "ConfigMap ovn-config",
            config_map("ovn-config"),
            partial(read_ovn_config, namespaces=known),
        ),
        WatchedObjects(
            "ConfigMap ovnkube-config",
            config_map("ovnkube-config"),
            partial(read_ovnkube_config, namespaces=known),
        ),
        daemon_set("ovnkube-node", known),
    )
