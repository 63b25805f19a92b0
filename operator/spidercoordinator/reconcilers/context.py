"""What reconcilers share: stores, the cluster's configuration as decided, and runtime services.

A reconciler gets a key and this: `async def reconcile(key: Key, context: Context) -> None`. It
raises `SpiderCoordinatorError` to be called again later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary

from spidercoordinator.api.kinds import COORDINATOR_KIND, NETWORK_KIND
from spidercoordinator.api.objects import Name, Object
from spidercoordinator.core.cidrs.nodeaddresses import NodeAddresses
from spidercoordinator.core.cidrs.reports import DetectedPlugin, SourceReport
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.index import Claims
from spidercoordinator.core.network.ipam import ClusterIPAM
from spidercoordinator.core.network.linkuse import LinkIndex
from spidercoordinator.core.network.nodecollisions import NodeCollisions
from spidercoordinator.core.network.rangeindex import RangeIndex
from spidercoordinator.core.nodes.fleet import Fleet
from spidercoordinator.core.status.contention import History
from spidercoordinator.core.status.problems import CONTESTED, Problem
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.crash import CrashHandler
from spidercoordinator.kube.events import Recorder
from spidercoordinator.kube.resource import (
    CONFIG_MAPS,
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Resource,
)
from spidercoordinator.kube.store import Store
from spidercoordinator.reconcilers.problems import Problems
from spidercoordinator.reconcilers.progress import Progress
from spidercoordinator.reconcilers.trimming import trim
from spidercoordinator.reconcilers.writes import Contest, Writes
from spidercoordinator.runtime.health import Health
from spidercoordinator.runtime.metrics import Metrics
from spidercoordinator.runtime.settings import Settings
from spidercoordinator.runtime.workqueue import Key, WorkQueue

NETWORK: Final = NETWORK_KIND
COORDINATOR: Final = COORDINATOR_KIND


def network_key(name: Name) -> Key:
    """The work queue's key of a SpiderMultusConfig."""
    return (NETWORK, *name)


def coordinator_key(name: str) -> Key:
    """The work queue's key of a SpiderCoordinator."""
    return (COORDINATOR, name)


class Discovery(Protocol):
    """Who knows what the sources of CIDRs report now."""

    def reports(self) -> list[SourceReport]:
        """What every source reports, most trusted first."""

    def plugins(self) -> list[DetectedPlugin]:
        """Which CNI plugins with pools of their own seem to run here."""

    def istio(self) -> bool | None:
        """Whether Istio is installed; None while that is not known."""

    def spiderpool(self) -> bool | None:
        """Whether Spiderpool's kinds are served; None while that is not known."""

    def node_addresses(self) -> NodeAddresses:
        """The addresses of all nodes that are known; the same object until one changes."""

    def undetermined(self) -> tuple[str, ...]:
        """Of which products it cannot be told whether they are installed, and why."""


@dataclass(frozen=True, slots=True)
class Services:
    """What reconcilers do their work with.

    Attributes:
        settings: of the operator.
        client: how to read and write objects; its writes wait until this process leads.
        queue: where keys to reconcile are added.
        discovery: what the sources of CIDRs report.
        metrics: what is counted.
        health: what the probes answer.
    """

    settings: Settings
    client: Client
    queue: WorkQueue
    discovery: Discovery
    metrics: Metrics
    health: Health


@dataclass(frozen=True, slots=True)
class Stores:
    """The objects as last observed.

    Attributes:
        coordinators: SpiderCoordinators.
        networks: SpiderMultusConfigs.
        nads: NetworkAttachmentDefinitions.
        node_defaults: the ConfigMap that nodes mount.
        index: which network desires, and has, which NAD.
        ranges: which networks give out the same addresses.
        on_nodes: which networks give out addresses of nodes.
        links: which networks cannot share a link of a node.
    """

    coordinators: Store
    networks: Store
    nads: Store
    node_defaults: Store
    index: Claims
    ranges: RangeIndex
    on_nodes: NodeCollisions = field(default_factory=NodeCollisions)
    links: LinkIndex = field(default_factory=LinkIndex)

    @classmethod
    def empty(cls, crashes: CrashHandler | None = None) -> Stores:
        """Stores without objects, and the index over them.

        Args:
            crashes: gets what indexers and event handlers raise.
        """
        made = cls(
            Store(trim, kind=COORDINATOR, crashes=crashes),
            Store(trim, kind=NETWORK, crashes=crashes),
            Store(trim, kind=NETWORK_ATTACHMENT_DEFINITIONS.kind, crashes=crashes),
            Store(kind=CONFIG_MAPS.kind, crashes=crashes),
            Claims(),
            RangeIndex(),
        )
        made.networks.add_indexer(made._index_network)
        made.nads.add_indexer(made._index_nad)
        return made

    def by_resource(self) -> dict[Resource, Store]:
        """The stores that a resync compares with lists, by their kind."""
        return {
            SPIDERCOORDINATORS: self.coordinators,
            SPIDERMULTUSCONFIGS: self.networks,
            NETWORK_ATTACHMENT_DEFINITIONS: self.nads,
        }

    def _index_network(self, name: Name, _: Object | None, after: Object | None) -> None:
        if after is None:
            self.index.remove_network(name)
            self.ranges.remove(name)
            self.on_nodes.remove(name)
            self.links.remove(name)
        else:
            self.index.update_network(after)
            self.ranges.update(after)
            self.links.update(after)

    def _index_nad(self, name: Name, _: Object | None, after: Object | None) -> None:
        if after is None:
            self.index.remove_nad(name)
        else:
            self.index.update_nad(after)


@dataclass(slots=True)
class Decided:
    """What has been decided about the cluster.

    Attributes:
        cluster: what networks are rendered from; None while there is no SpiderCoordinator.
        known: whether that has been decided once; no network is reconciled before.
        ipam: what networks get that name no IPAM; None before that has been decided once.
        fleet: what the nodes have; None before they had the time to tell.
        nads_served: whether the API server has the kind NetworkAttachmentDefinition.
        history: of the changes of `cluster` that came by themselves, which are damped.
    """

    cluster: ClusterConfig | None = None
    known: bool = False
    ipam: ClusterIPAM | None = None
    fleet: Fleet | None = None
    nads_served: bool = False
    history: History = field(default_factory=History)

    @property
    def default_ipam(self) -> Mapping[str, Any]:
        """CNI IPAM object of a network that names none; empty where there is none."""
        return self.ipam.default if self.ipam else {}


@dataclass(slots=True)
class Context:
    """See the module.

    Attributes:
        services: what reconcilers do their work with.
        stores: the objects as last observed.
        decided: what has been decided about the cluster.
        progress: which networks are in sync with that.
        nad_locks: held by the network that decides on a NAD which several networks desire.
        refused_statuses: what the API server would not take as status, since the network's spec is
            older than a rule that it breaks.
        problems: what the API server keeps refusing.
        lacking: reasons for which nodes do not serve a network, as the metric has them.
        writes: what was written lately, to limit fights over it.
        events: who writes Kubernetes Events.
    """

    services: Services
    stores: Stores = field(default_factory=Stores.empty)
    decided: Decided = field(default_factory=Decided)
    progress: Progress = field(default_factory=Progress)
    nad_locks: WeakValueDictionary[Name, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    refused_statuses: dict[Name, Object] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    lacking: dict[Name, frozenset[str]] = field(default_factory=dict)
    writes: Writes = field(init=False)
    events: Recorder = field(init=False)

    def __post_init__(self) -> None:
        queue = self.services.queue
        self.writes = Writes(self.services.client)
        self.events = Recorder(self.services.client, busy=lambda: queue.length > 0)

    def enqueue_network(
        self, name: Name, *, low_priority: bool = False, after: float = 0.0
    ) -> None:
        """Have one network reconciled; nothing before the decision that enqueues all of them."""
        if self.decided.known:
            self.services.queue.add(network_key(name), after=after, low_priority=low_priority)

    def enqueue_all_networks(self) -> None:
        """Have every network reconciled, behind single changes."""
        # Those that went while the operator was away as well: NADs that they adopted are left.
        for name in self.stores.networks.keys() | self.stores.index.makers():
            self.enqueue_network(name, low_priority=True)

    def enqueue_coordinator(self, *, after: float = 0.0) -> None:
        """Have the effective SpiderCoordinator reconciled, now or after so many seconds."""
        self.services.queue.add(coordinator_key(self.services.settings.name), after=after)

    def note_contest(self, key: Key, what: str, contest: Contest | None) -> None:
        """Have a status tell of a contest that keeps nothing from being ready, until its end."""
        self.problems.passed(key, what)
        if contest is not None:
            self.problems.noted(key, Problem(what, CONTESTED, contest.message))
            self.services.queue.add(key, after=contest.wait)
