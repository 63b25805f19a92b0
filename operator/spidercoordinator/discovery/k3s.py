"""k3s and RKE2: the arguments of their servers, which each writes to its Node.

Annotation `k3s.io/node-args` or `rke2.io/node-args` holds the command line with the configuration
files merged in, as a JSON list (k3s: pkg/nodeconfig). What is left at its default is not in it; the
defaults are those of pkg/cli/server, by the family of the server's first address.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.backing import holding
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery.flags import last, occurrences
from spidercoordinator.discovery.nodes import node_cidrs
from spidercoordinator.discovery.shapes import section, split
from spidercoordinator.discovery.source import Observations, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import NODES

_ANNOTATIONS: Final = ("k3s.io/node-args", "rke2.io/node-args")
_ROLES: Final = ("server", "agent")
_DEFAULT_POD: Final = ("10.42.0.0/16", "fd00:42::/56")


@dataclass(frozen=True, slots=True)
class _ServerArgs:
    pod: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    problem: str = ""


def read_server(obj: Object) -> _ServerArgs | None:
    """What a server's arguments name, and the pod CIDRs of its node; None for another node."""
    annotations = section(obj, "metadata", "annotations")
    problem = ""
    for name in _ANNOTATIONS:
        if isinstance(content := annotations.get(name), str):
            words = _words(content)
            if words is None:
                problem = f"{name} is no JSON list of arguments"
            elif next((word for word in words if word in _ROLES), "") == "server":
                return _read_words(words, node_cidrs(obj))
    return _ServerArgs(problem=problem) if problem else None


def _words(content: str) -> list[str] | None:
    try:
        words = json.loads(content)
    except (json.JSONDecodeError, RecursionError):
        return None
    return [str(word) for word in words] if isinstance(words, list) else None


def _read_words(words: list[str], nodes: tuple[str, ...]) -> _ServerArgs:
    # What is handed to a component wins over the server's own flag.
    manager = ("kube-controller-manager-arg", "kube-controller-arg")
    pod = _of_component(words, manager, "cluster-cidr") or _listed(words, "cluster-cidr")
    api_server = ("kube-apiserver-arg", "kube-controller-manager-arg", "kube-controller-arg")
    service = _of_component(words, api_server, "service-cluster-ip-range")
    return _ServerArgs(pod, service or _listed(words, "service-cidr"), nodes)


def _listed(words: list[str], flag: str) -> tuple[str, ...]:
    # A list: given several times, its values add up.
    return tuple(dict.fromkeys(split(list(occurrences(words, flag)))))


def _of_component(words: list[str], flags: tuple[str, ...], name: str) -> tuple[str, ...]:
    return split(last(_arguments(words, flags, name)))


def _arguments(words: list[str], flags: tuple[str, ...], name: str) -> Iterator[str]:
    for argument in occurrences(words, *flags):
        key, _, value = argument.lstrip("-").partition("=")
        if key == name:
            yield value


SERVERS: Final = WatchedObjects(
    "k3s or RKE2 server among the nodes",
    # The API server lets no kubelet give itself this label (NodeRestriction).
    Selection(
        (NODES,),
        labels="node-role.kubernetes.io/control-plane",
        only=(("metadata", "annotations"), ("spec", "podCIDRs"), ("spec", "podCIDR")),
    ),
    read_server,
)


@dataclass(frozen=True)
class K3s:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = (SERVERS,)

    def report(self, observations: Observations) -> SourceReport:
        """The ranges in the servers' arguments, or the default one that holds their podCIDRs."""
        observed = observations[SERVERS.title]
        source, not_read = "k3s or RKE2 server arguments", observed.unread(SERVERS)
        if not observed.entries:
            missing = observed.why_empty(SERVERS)
            return SourceReport(source, missing=missing, unread=not_read)
        (first, args), *rest = sorted(observed.entries.items())
        name = first.removeprefix("/")
        differing = [
            other.removeprefix("/")
            for other, found in rest
            if (found.pod, found.service) != (args.pod, args.service)
        ]
        warning = f"nodes {name} and {', '.join(differing)} have different arguments"
        pod = args.pod or holding(_DEFAULT_POD, args.nodes)
        return SourceReport(
            source,
            pod=pod,
            service=args.service,
            missing=_missing(name, args, pod),
            warning=warning if differing else "",
            unread=not_read,
        )


def _missing(name: str, args: _ServerArgs, pod: tuple[str, ...]) -> str:
    if args.problem:
        return f"node {name}: {args.problem}"
    parts = []
    if not pod:
        defaults = " and ".join(_DEFAULT_POD)
        parts.append(
            f"the arguments of node {name} have no --cluster-cidr, and the defaults {defaults} "
            "do not hold its podCIDRs"
        )
    if not args.service:
        parts.append(f"the arguments of node {name} have no --service-cidr")
    return "; ".join(parts)
