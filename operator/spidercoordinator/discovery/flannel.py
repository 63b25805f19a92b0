"""flannel: `Network` and `IPv6Network` of net-conf.json, in the ConfigMap that its agents mount.

https://github.com/flannel-io/flannel/blob/master/Documentation/configuration.md
Canal, which is flannel with Calico's policies, has the same file in a ConfigMap of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.daemonsets import daemon_set, running
from spidercoordinator.discovery.shapes import parse_json, split, text
from spidercoordinator.discovery.source import Observations, WatchedObjects, unread
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CONFIG_MAPS

_NAMESPACE: Final = "kube-flannel"
"""Where its own manifest puts it."""
_NAMES: Final = ("kube-flannel-cfg", "canal-config")
_AGENTS: Final = ("kube-flannel-ds", "kube-flannel")
"""Its own manifest and chart call them so, and Talos."""
_KEY: Final = "net-conf.json"


@dataclass(frozen=True, slots=True)
class _NetConf:
    pod: tuple[str, ...] = ()
    problem: str = ""

    def __bool__(self) -> bool:
        """Whether it names a range, for the metric."""
        return bool(self.pod)


def read_net_conf(obj: Object, namespaces: frozenset[str]) -> _NetConf | None:
    """What flannel gives out; None for a ConfigMap outside the cluster's own namespaces."""
    if obj["metadata"].get("namespace") not in namespaces:
        return None
    try:
        parsed = parse_json(text(obj, "data", _KEY))
    except ValueError as error:
        return _NetConf(problem=f"{_KEY} {error}")
    # As Go's encoding/json does: names of fields in whatever case, null as absent.
    fields = {key.lower(): value for key, value in parsed.items() if value is not None}
    pod: tuple[str, ...] = ()
    if fields.get("enableipv4", True):
        pod += split(fields.get("network"))
    if fields.get("enableipv6", False):
        pod += split(fields.get("ipv6network"))
    return _NetConf(pod, "" if pod else f"{_KEY} has no Network or IPv6Network in use")


def config_maps(namespaces: Iterable[str]) -> tuple[WatchedObjects, ...]:
    """The ConfigMaps that may hold the file.

    Args:
        namespaces: those of the cluster's own components; flannel's own is added.
    """
    known = frozenset((*namespaces, _NAMESPACE))
    return tuple(
        WatchedObjects(
            f"ConfigMap {name}",
            Selection((CONFIG_MAPS,), fields=f"metadata.name={name}"),
            partial(read_net_conf, namespaces=known),
        )
        for name in _NAMES
    )


def agents(namespaces: Iterable[str]) -> tuple[WatchedObjects, ...]:
    """Its agents.

    Args:
        namespaces: those of the cluster's own components; flannel's own is added.
    """
    return tuple(daemon_set(name, (*namespaces, _NAMESPACE)) for name in _AGENTS)


@dataclass(frozen=True)
class Flannel:
    """See the module.

    Attributes:
        config_maps: those that may hold its configuration.
        agents: its DaemonSets.
    """

    config_maps: tuple[WatchedObjects, ...]
    agents: tuple[WatchedObjects, ...] = ()

    @property
    def watched(self) -> tuple[WatchedObjects, ...]:
        """The ConfigMaps, the agents, and the nodes, which show whether they are in use."""
        return (*self.config_maps, *self.agents, *nodes.RANGES)

    def report(self, observations: Observations) -> SourceReport:
        """The ranges, unless nodes have got theirs from elsewhere."""
        source, not_read = "flannel's net-conf.json", unread(observations, *self.config_maps)
        named = [
            (f"ConfigMap {name}", found)
            for watched in self.config_maps
            for name, found in sorted(observations[watched.title].entries.items())
        ]
        if not named:
            missing = "; ".join(
                observations[each.title].why_empty(each) for each in self.config_maps
            )
            return SourceReport(source, kinds=("pod",), missing=missing, unread=not_read)
        where, found = named[0]
        pod, warning = nodes.without_left_overs(where, found.pod, observations)
        missing = f"{where}: {found.problem}" if found.problem else warning
        return SourceReport(
            source,
            kinds=("pod",),
            pod=pod,
            missing="" if pod else missing,
            warning=warning,
            unread=not_read,
            runs=next(filter(None, map(running, (observations[a.title] for a in self.agents))), ""),
        )
