"""flannel: `Network` and `IPv6Network` of net-conf.json, in the ConfigMap that its agents mount.

https://github.com/flannel-io/flannel/blob/master/Documentation/configuration.md
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.shapes import parse_json, split, text
from spidercoordinator.discovery.source import Observations, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CONFIG_MAPS

NAMESPACE: Final = "kube-flannel"
"""Where its own manifest puts it."""
_NAME: Final = "kube-flannel-cfg"
_KEY: Final = "net-conf.json"


@dataclass(frozen=True, slots=True)
class _NetConf:
    pod: tuple[str, ...] = ()
    problem: str = ""


def read_net_conf(obj: Object, namespaces: frozenset[str]) -> _NetConf | None:
    """What flannel gives out; None for a ConfigMap outside the cluster's own namespaces."""
    if obj["metadata"].get("namespace") not in namespaces:
        return None
    try:
        parsed = parse_json(text(obj, "data", _KEY))
    except ValueError as error:
        return _NetConf(problem=f"{_KEY} {error}")
    # As Go's encoding/json does: names of fields in whatever case.
    fields = {key.lower(): value for key, value in parsed.items()}
    pod: tuple[str, ...] = ()
    if fields.get("enableipv4", True):
        pod += split(fields.get("network"))
    if fields.get("enableipv6", False):
        pod += split(fields.get("ipv6network"))
    return _NetConf(pod, "" if pod else f"{_KEY} has no Network or IPv6Network in use")


def config(namespaces: Iterable[str]) -> WatchedObjects:
    """Flannel's ConfigMap.

    Args:
        namespaces: those of the cluster's own components.
    """
    return WatchedObjects(
        f"ConfigMap {_NAME}",
        Selection((CONFIG_MAPS,), fields=f"metadata.name={_NAME}"),
        partial(read_net_conf, namespaces=frozenset(namespaces)),
    )


@dataclass(frozen=True)
class Flannel:
    """See the module.

    Attributes:
        config: its ConfigMap.
    """

    config: WatchedObjects

    @property
    def watched(self) -> tuple[WatchedObjects, ...]:
        """The ConfigMap, and the nodes, which show whether it is in use."""
        return (self.config, nodes.WATCHED)

    def report(self, observations: Observations) -> SourceReport:
        """The ranges, unless nodes have got theirs from elsewhere."""
        observed = observations[self.config.title]
        source, not_read = "flannel's net-conf.json", observed.unread(self.config)
        if not observed.entries:
            missing = observed.why_empty(self.config)
            return SourceReport(source, kinds=("pod",), missing=missing, unread=not_read)
        name, found = min(observed.entries.items())
        where = f"ConfigMap {name}"
        pod, warning = nodes.without_left_overs(where, found.pod, observations)
        missing = f"{where}: {found.problem}" if found.problem else warning
        return SourceReport(
            source,
            kinds=("pod",),
            pod=pod,
            missing="" if pod else missing,
            warning=warning,
            unread=not_read,
        )
