"""What the controller manager gave each node: node.spec.podCIDRs (flannel, k3s, GKE, kindnet).

Nodes are many, and send a heartbeat each: whatever is read of them is read from one watch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.api.scalars import parse_network
from spidercoordinator.core.cidrs.backing import holding, left_over
from spidercoordinator.core.cidrs.nodeaddresses import NodeAddresses
from spidercoordinator.core.cidrs.ranges import collapse, normalise
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery.kuberouter import AGENTS
from spidercoordinator.discovery.nodeargs import ServerArgs, read_server_args
from spidercoordinator.discovery.shapes import mappings, section, split, text
from spidercoordinator.discovery.source import Observations, WatchedObjects, unread
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import NODES

_CONTROL_PLANE: Final = "node-role.kubernetes.io/control-plane"
_KUBE_ROUTER: Final = ("kube-router.io/pod-cidr", "kube-router.io/pod-cidrs")
"""What kube-router hands out instead of podCIDRs (its pkg/controllers/routing/utils.go)."""

_OF_CALICO: Final = "projectcalico.org/IPv"
_OF_OTHERS: Final = (
    "flannel.alpha.coreos.com/",
    "k8s.ovn.org/",
    "kube-router.io/",
    "network.cilium.io/",
    "node.antrea.io/",
    "ovn.kubernetes.io/",
)
"""How the annotations begin with which a network marks its nodes."""

_OF_INTERFACES: Final = ("InternalIP", "ExternalIP")
"""Types of a node's addresses that are no names."""

_SHOWN: Final = 4
"""As many of the nodes' ranges are in a message."""


def node_cidrs(obj: Object) -> tuple[str, ...]:
    """The pod CIDRs in a node's spec."""
    spec = section(obj, "spec")
    return normalise(split(spec.get("podCIDRs")) or split(spec.get("podCIDR")))


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What is kept of a node.

    Attributes:
        cidrs: its pod CIDRs, by its spec.
        annotated: those that kube-router's annotations name in their place.
        args: what its arguments as a k3s or RKE2 server name, None for another node.
        control_plane: whether it is labelled as one of the control plane.
        of_calico: whether Calico, and no other network, marked it (see `caliconodes`).
        addresses: those by which it is reached.
    """

    cidrs: tuple[str, ...]
    annotated: tuple[str, ...] = ()
    args: ServerArgs | None = None
    control_plane: bool = False
    of_calico: bool = False
    addresses: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether it tells a range, for the metric."""
        return bool(self.cidrs or self.annotated) or self.args is not None

    @property
    def is_overridden(self) -> bool:
        """Whether kube-router's annotations name other pod CIDRs than the spec."""
        return bool(self.cidrs and self.annotated) and self.cidrs != self.annotated


def read_node(obj: Object) -> NodeFacts:
    """What is kept of one node."""
    annotations = section(obj, "metadata", "annotations")
    annotated = (_annotated(annotations.get(name)) for name in _KUBE_ROUTER)
    return NodeFacts(
        node_cidrs(obj),
        next(filter(None, annotated), ()),
        read_server_args(obj),
        _CONTROL_PLANE in section(obj, "metadata", "labels"),
        _only_calico(annotations),
        _addresses(obj),
    )


def _addresses(obj: Object) -> tuple[str, ...]:
    found = mappings(obj, "status", "addresses")
    return tuple(text(each, "address") for each in found if each.get("type") in _OF_INTERFACES)


def _annotated(value: object) -> tuple[str, ...]:
    """The ranges in one of kube-router's annotations; it passes over what is none, too."""
    return tuple(each for each in normalise(split(value)) if "/" in each and parse_network(each))


def _only_calico(annotations: Iterable[str]) -> bool:
    """Whether Calico marked a node, and no network that took it over."""
    names = tuple(annotations)
    return any(name.startswith(_OF_CALICO) for name in names) and not any(
        name.startswith(_OF_OTHERS) for name in names
    )


_PARTS: Final = ("spec.podCIDR", "spec.podCIDRs", "status.addresses")
"""Beside annotations and labels; images are most of a node."""
WATCHED: Final = WatchedObjects("Node with podCIDRs", Selection((NODES,), parts=_PARTS), read_node)
RANGES: Final = (WATCHED, AGENTS)
"""What shows the nodes' ranges: they, and whether kube-router reads what is annotated."""


def addresses(observations: Observations) -> NodeAddresses:
    """The addresses of all nodes."""
    entries = observations[WATCHED.title].entries
    return NodeAddresses.of((name.lstrip("/"), each.addresses) for name, each in entries.items())


def all_cidrs(observations: Observations) -> tuple[str, ...]:
    """The pod CIDRs of all nodes, neighbours merged."""
    entries, gone = observations[WATCHED.title].entries.values(), _is_without_agents(observations)
    return _merged(
        frozenset((gone and facts.cidrs) or facts.annotated or facts.cidrs for facts in entries)
    )


def _is_without_agents(observations: Observations) -> bool:
    """Whether there is no kube-router that would read the annotations; unread, it may be there."""
    agents = observations[AGENTS.title]
    return not agents.entries and not agents.unread(AGENTS)


# Several sources ask, and thousands of nodes are mostly the same at the next reconcile.
@lru_cache(maxsize=4)
def _merged(nodes: frozenset[tuple[str, ...]]) -> tuple[str, ...]:
    return collapse(cidr for cidrs in nodes for cidr in cidrs)


def without_left_overs(
    where: str, cidrs: Iterable[str], observations: Observations
) -> tuple[tuple[str, ...], str]:
    """The ranges from which nodes may have their podCIDRs, and what speaks against the others.

    Args:
        where: the object that names the ranges, for people.
        cidrs: the ranges.
        observations: of the nodes, among others.
    """
    known, named = all_cidrs(observations), tuple(cidrs)
    gone = left_over(named, known)
    if gone and not holding(named, known):
        # What was given up for one family was given up for the other, too.
        gone = named
    warning = (
        f"{where} names {', '.join(gone)}, but nodes have their podCIDRs elsewhere: "
        f"{', '.join(known[:_SHOWN])}{' ...' if len(known) > _SHOWN else ''}"
    )
    return tuple(each for each in named if each not in gone), warning if gone else ""


@dataclass(frozen=True)
class Nodes:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = RANGES

    def report(self, observations: Observations) -> SourceReport:
        """All nodes' CIDRs, neighbours merged; a new node may widen the list."""
        observation, cidrs = observations[WATCHED.title], all_cidrs(observations)
        overridden = {
            name.lstrip("/"): facts
            for name, facts in observation.entries.items()
            if facts.is_overridden
        }
        gone = _is_without_agents(observations)
        return SourceReport(
            source="node.spec.podCIDRs",
            kinds=("pod",),
            pod=cidrs,
            missing="" if cidrs else observation.why_empty(WATCHED),
            warning=_left_behind(overridden) if gone and overridden else "",
            unread=unread(observations, *(RANGES if overridden else (WATCHED,))),
            partial=True,
        )


def _left_behind(overridden: Mapping[str, NodeFacts]) -> str:
    name = min(overridden)
    facts = overridden[name]
    more = f" (and {len(overridden) - 1} more)" if len(overridden) > 1 else ""
    return (
        f"kube-router's annotations name {', '.join(facts.annotated)} for node {name}{more}, whose"
        f" spec.podCIDRs are {', '.join(facts.cidrs)}, and there is no {AGENTS.title}, so the"
        " latter count: remove what is left of kube-router, or set spec.podCIDR"
    )
