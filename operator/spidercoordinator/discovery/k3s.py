"""k3s and RKE2: the ranges in the arguments of their servers, or the defaults.

The defaults are those of k3s' pkg/cli/server, by the family of the server's first address. They
count where nodes have their podCIDRs from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from spidercoordinator.core.cidrs.backing import holding
from spidercoordinator.core.cidrs.ranges import normalise
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.nodeargs import ServerArgs
from spidercoordinator.discovery.source import Observations, WatchedObjects

_DEFAULT_POD: Final = ("10.42.0.0/16", "fd00:42::/56")
_DEFAULT_SERVICE: Final = ("10.43.0.0/16", "fd00:43::/112")


@dataclass(frozen=True)
class K3s:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = nodes.RANGES

    def report(self, observations: Observations) -> SourceReport:
        """The ranges in the servers' arguments, or the default one that holds their podCIDRs."""
        observed = observations[nodes.WATCHED.title]
        source, not_read = "k3s or RKE2 server arguments", observed.unread(nodes.WATCHED)
        servers = _servers(observed.entries)
        if not servers:
            missing = not_read or "there is no k3s or RKE2 server among the nodes"
            return SourceReport(source, missing=missing, unread=not_read)
        (name, args), *rest = servers
        differing = [other for other, found in rest if not _agree(args, found)]
        alike = [args, *(found for other, found in rest if other not in differing)]
        warning = f"nodes {name} and {', '.join(differing)} have different arguments"
        pod = _named(each.pod for each in alike)
        pod = pod or holding(_DEFAULT_POD, nodes.all_cidrs(observations))
        service = _named(each.service for each in alike)
        return SourceReport(
            source,
            pod=pod,
            service=service,
            missing=_missing(name, args, pod, service),
            warning=warning if differing else "",
            unread=not_read,
        )


def _servers(entries: Mapping[str, nodes.NodeFacts]) -> list[tuple[str, ServerArgs]]:
    """The servers by name; those of the control plane, where some are labelled so.

    The API server lets no kubelet give its own node that label (NodeRestriction), so none of a
    worker can speak for the cluster. A control plane whose servers are no nodes has none.
    """
    found = [(name, facts) for name, facts in entries.items() if facts.args is not None]
    labelled = [each for each in found if each[1].control_plane]
    servers = [
        (name.removeprefix("/"), facts.args)
        for name, facts in labelled or found
        if facts.args is not None
    ]
    # What cannot be read comes last: the others know as much.
    return sorted(servers, key=lambda each: (bool(each[1].problem), each[0]))


def _named(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The first list that some server names."""
    return next(filter(None, lists), ())


def _agree(one: ServerArgs, other: ServerArgs) -> bool:
    """Whether two servers have the same ranges: what one leaves out stands for the default."""
    return (
        not one.problem
        and not other.problem
        and _same(one.pod, other.pod, _DEFAULT_POD)
        and _same(one.service, other.service, _DEFAULT_SERVICE)
    )


def _same(one: tuple[str, ...], other: tuple[str, ...], default: tuple[str, ...]) -> bool:
    first, second = set(normalise(one)), set(normalise(other))
    if first and second:
        return first == second
    return first | second <= set(default)


def _missing(name: str, args: ServerArgs, pod: tuple[str, ...], service: tuple[str, ...]) -> str:
    if args.problem:
        return f"node {name}: {args.problem}"
    parts = []
    if not pod:
        defaults = " and ".join(_DEFAULT_POD)
        parts.append(
            f"the arguments of node {name} have no --cluster-cidr, and the defaults {defaults} "
            "do not hold podCIDRs of nodes"
        )
    if not service:
        parts.append(f"the arguments of node {name} have no --service-cidr")
    return "; ".join(parts)
