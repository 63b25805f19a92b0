"""Which nodes Calico's start-up marked as its own: annotations `projectcalico.org/IPv4Address`, ….

It shows a Calico whose agents are in no DaemonSet that is known: in another namespace, or run by
the host itself. Nodes that another network marked, too, were taken over by that one.
"""

from __future__ import annotations

from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.reports import Presence
from spidercoordinator.discovery.daemonsets import Objects
from spidercoordinator.discovery.source import Observation, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import NODES

_OF_CALICO: Final = "projectcalico.org/IPv"
_OF_OTHERS: Final = (
    "flannel.alpha.coreos.com/",
    "k8s.ovn.org/",
    "kube-router.io/",
    "network.cilium.io/",
    "node.antrea.io/",
    "ovn.kubernetes.io/",
)


def read_mark(obj: Object) -> bool:
    """Whether Calico, and no other network, marked the node."""
    annotations = obj["metadata"].get("annotations") or {}
    return any(name.startswith(_OF_CALICO) for name in annotations) and not any(
        name.startswith(_OF_OTHERS) for name in annotations
    )


MARKS: Final = WatchedObjects(
    "Node with annotations of Calico",
    Selection((NODES,), metadata_only=True),
    read_mark,
)


def marks(observation: Observation) -> Objects:
    """Whether each node is Calico's; one that joined after Calico went is not."""
    if observation.entries:
        return Objects.PRESENT if all(observation.entries.values()) else Objects.ABSENT
    return Objects.UNREAD if observation.unread(MARKS) else Objects.ABSENT


def without_agents(blocks: Objects, marked: Objects) -> Presence:
    """What blocks in use and marked nodes say where no agents are known."""
    if Objects.ABSENT in {blocks, marked}:
        return Presence.LEFT_OVERS if blocks is Objects.PRESENT else Presence.ABSENT
    return Presence.UNKNOWN if Objects.UNREAD in {blocks, marked} else Presence.MARKED
