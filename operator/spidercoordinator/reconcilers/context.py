"""What the operator knows: the objects as last seen, and what follows from them for everybody.

Handlers share one `State`. Stores are filled from watches and read by reconcilers, which get a key
and make it so: `async def reconcile(key: Key, state: State) -> None`, raising
`SpiderCoordinatorError` to be called again later.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from sys import intern
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary

from spidercoordinator.api.kinds import COORDINATOR_KIND, NETWORK_KIND
from spidercoordinator.api.objects import Name as Name  # noqa: PLC0414 - for those who import it from here
from spidercoordinator.core.cidrs.selection import DetectedPlugin, SourceReport
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.index import Claims
from spidercoordinator.kube.client import Api
from spidercoordinator.kube.resource import Object
from spidercoordinator.runtime.health import Health
from spidercoordinator.runtime.metrics import Metrics
from spidercoordinator.runtime.settings import Settings
from spidercoordinator.runtime.workqueue import Key, Queue

NETWORK: Final = NETWORK_KIND
COORDINATOR: Final = COORDINATOR_KIND


def network_key(namespace: str, name: str) -> Key:
    """The key under which a SpiderMultusConfig is made so."""
    return (NETWORK, namespace, name)


def coordinator_key(name: str) -> Key:
    """The key under which a SpiderCoordinator is made so."""
    return (COORDINATOR, name)


class Discovery(Protocol):
    """Who knows what the sources of CIDRs say now."""

    def reports(self) -> list[SourceReport]:
        """What every source says, most trusted first."""

    def plugins(self) -> list[DetectedPlugin]:
        """Which CNI plugins with pools of their own seem to run here."""

    def istio(self) -> bool:
        """Whether Istio is installed."""


@dataclass(slots=True)
class State:
    """See the module.

    Attributes:
        settings: what the operator was told.
        api: how to ask and change.
        queue: how to have a key made so.
        metrics: what is counted.
        health: how the operator is.
        coordinators: SpiderCoordinators by name.
        networks: SpiderMultusConfigs by namespace and name.
        attachments: NetworkAttachmentDefinitions by namespace and name.
        cluster: what the effective SpiderCoordinator comes to; None while there is none.
        attachments_served: whether the API server has the kind NetworkAttachmentDefinition.
        primed: whether `cluster` has been worked out once; no network is touched before.
        claims: which network wants, and has, which attachment.
        turns: whose turn it is with an attachment that several networks want.
        discovery: what the sources of CIDRs say.
        patience: how often the first count of networks may still be put off.
        node_defaults: what was last written for the nodes.
        in_step: for each network its `ClusterConfig.revision` at the last success.
    """

    settings: Settings
    api: Api
    queue: Queue
    discovery: Discovery
    metrics: Metrics = field(default_factory=Metrics)
    health: Health = field(default_factory=Health)
    coordinators: dict[str, Object] = field(default_factory=dict)
    networks: dict[Name, Object] = field(default_factory=dict)
    attachments: dict[Name, Object] = field(default_factory=dict)
    cluster: ClusterConfig | None = None
    attachments_served: bool = False
    primed: bool = False
    patience: int = 100
    node_defaults: str = ""
    claims: Claims = field(default_factory=Claims)
    turns: WeakValueDictionary[Name, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    in_step: dict[Name, str] = field(default_factory=dict)

    def stepped(self, name: Name, revision: str | None) -> None:
        """Note the `ClusterConfig.revision` a network now carries; None: it carries none.

        The SpiderCoordinator's count follows a moment later, once for many networks.
        """
        if self.in_step.get(name) == revision:
            return
        if revision is None:
            del self.in_step[name]
        else:
            self.in_step[name] = revision
        self.queue.add(coordinator_key(self.settings.name), after=1.0)

    def add_all_networks(self) -> None:
        """Have every network made so, behind single changes."""
        for namespace, name in self.networks:
            self.queue.add(network_key(namespace, name), bulk=True)


def slim(thing: Object) -> Object:
    """An object without what is only bulk to us; most of the memory of a store is that.

    Each parsed object brings the names of its fields anew; here they are the same strings in all.
    """
    meta = {key: value for key, value in thing["metadata"].items() if key != "managedFields"}
    annotations = meta.get("annotations")
    if annotations and _LAST_APPLIED in annotations:
        kept = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        meta["annotations"] = kept
    slimmed: Object = _sharing_names({**thing, "metadata": meta})
    return slimmed


def _sharing_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {intern(key): _sharing_names(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_sharing_names(item) for item in value]
    return value


_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
