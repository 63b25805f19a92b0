"""The manager: assembles stores, informers, work queue and leader election, runs and ends them.

kopf runs the operator; its startup handler starts a manager, its cleanup handler stops it, and its
event handlers pass it the events of our own kinds (`handlers/`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, Self

from spidercoordinator.api.objects import name_of
from spidercoordinator.core.nodes.fleet import Fleet
from spidercoordinator.discovery.informers import Signals, SourceInformers
from spidercoordinator.discovery.nodelogs import NodeReports
from spidercoordinator.discovery.sources import detectors, sources
from spidercoordinator.errors import KindRemovedError, SettingsError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.crash import CrashHandler, restarting
from spidercoordinator.kube.informer import Informer
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.reflector import (
    Deleted,
    Selection,
    Updated,
    WatchEvent,
    WatchFailed,
)
from spidercoordinator.kube.resource import (
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Object,
    Resource,
)
from spidercoordinator.kube.served import wait_until_served
from spidercoordinator.reconcilers import (
    fleet,
    gauges,
    nodedefaults,
    ranges,
    spidercoordinator,
    spidermultusconfig,
    triggers,
)
from spidercoordinator.reconcilers.caches import Resync, wait_for_cache_sync
from spidercoordinator.reconcilers.context import (
    COORDINATOR,
    NETWORK,
    Context,
    Services,
    Stores,
    coordinator_key,
)
from spidercoordinator.reconcilers.schemachanges import SchemaChanges
from spidercoordinator.runtime.garbagecollection import collect_seldom
from spidercoordinator.runtime.health import Health, Server
from spidercoordinator.runtime.leaderelection.elector import LeaderElector
from spidercoordinator.runtime.metrics import Metrics
from spidercoordinator.runtime.settings import Settings
from spidercoordinator.runtime.workqueue import Key, WorkQueue

logger = logging.getLogger(__name__)

KINDS: Final = (SPIDERCOORDINATORS, SPIDERMULTUSCONFIGS)
"""The kinds whose events kopf delivers."""
_SOURCES_ANSWER_WITHIN: Final = 10.0
"""Seconds to wait for all sources before the first decision; late ones lead to another."""
_STANDS_BY: Final = 1.0
"""Seconds after which a replica that does not lead yet counts as one that waits."""

RECONCILERS: Final = {
    COORDINATOR: spidercoordinator.reconcile,
    NETWORK: spidermultusconfig.reconcile,
}
"""What reconciles a key, by its first part."""


class Manager:
    """See the module.

    Attributes:
        context: what reconcilers share.
        crashes: what becomes of unexpected exceptions.
        nodes: what the nodes' installers report; None where they are not followed.
        failure: why it ended by itself, None while it did not.
    """

    def __init__(self, settings: Settings, client: Client) -> None:
        self._client = client
        metrics, health = Metrics(), Health()
        self.crashes = CrashHandler(lambda place: metrics.crashes.labels(place).inc())
        self._elector = LeaderElector.for_pod(client, settings, health, self.crashes)
        queue = WorkQueue(self._reconcile, settings.concurrent_reconciles, metrics=metrics)
        self._sources = SourceInformers(
            client,
            sources(settings.cilium_configmap, settings.agent_namespaces),
            detectors(settings.cilium_configmap, settings.agent_namespaces),
            Signals(
                changed=self._sources_changed,
                kinds_changed=self._kinds_changed,
                kind_removed=self._kind_removed,
                schema_changed=self._schema_changed,
                event_seen=health.record_event,
            ),
            self.crashes,
        )
        fenced = client.fenced(self._elector.fence)
        self.context = Context(
            Services(settings, fenced, queue, self._sources, metrics, health),
            Stores.empty(self.crashes),
        )
        self.nodes = NodeReports.followed(client, settings, self.crashes)
        if self.nodes is None:
            self.context.decided.fleet = Fleet()  # nobody will tell anything of nodes
        self.failure: BaseException | None = None
        stores = self.context.stores
        self._nads = Informer(
            client, Selection((NETWORK_ATTACHMENT_DEFINITIONS,)), stores.nads, self._nads_observed
        )
        self._node_defaults = Informer(
            client, nodedefaults.selection(settings), stores.node_defaults
        )
        watched, period = stores.by_resource(), settings.resync_period
        self._resync = Resync(client, watched, health, metrics, period)
        self._schemas = SchemaChanges(client, watched)
        self._server = Server(health, metrics)
        self._warm = asyncio.Event()
        self._background: asyncio.Task[None] | None = None
        triggers.register(self.context)
        gauges.register(self.context, self._elector, self._sources.readings, self.nodes)
        client.login.requested = metrics.requested

    @classmethod
    async def create(cls, settings: Settings, environ: Mapping[str, str] = os.environ) -> Self:
        """Log in and assemble.

        Raises:
            LoginError: there is no way to the API server.
        """
        return cls(settings, Client(await Login.find(environ)))

    @property
    def login(self) -> Login:
        """The way to the API server."""
        return self._client.login

    @property
    def client(self) -> Client:
        """The client whose writes do not wait for leadership."""
        return self._client

    async def start(self) -> None:
        """Serve the probes, wait until the API server has our kinds, and begin.

        Raises:
            SettingsError: the HTTP port cannot be had.
        """
        settings = self.context.services.settings
        try:
            await self._server.start(settings.http_port)
        except OSError as error:
            text = f"cannot listen on port {settings.http_port} (SPIDERCOORDINATOR_HTTP_PORT)"
            raise SettingsError(f"{text}: {error.strerror}") from error
        address = {"server": self._client.login.server, "port": self._server.port}
        logger.info("started for SpiderCoordinator %s", settings.name, extra=address)
        # kopf looks for them once, at its start.
        await wait_until_served(self._client, KINDS)
        self._background = asyncio.create_task(self._run(), name="manager")
        self._background.add_done_callback(self._ended)

    async def stop(self) -> None:
        """End everything, release the Lease if this process has it, and log out."""
        if self._background is not None:
            self._background.remove_done_callback(self._ended)
            self._background.cancel()
            await asyncio.gather(self._background, return_exceptions=True)
        await self.context.services.queue.shut_down()
        if self.failure is None:
            await self._elector.release()
        await self._server.stop()
        await self._client.client.close()  # type: ignore[no-untyped-call]
        logger.info("ended")

    def observe(self, resource: Resource, event: str | None, given: Object) -> None:
        """Take in an event of one of our kinds from kopf; None for an object of a list."""
        services = self.context.services
        services.health.record_event(resource.kind)
        services.metrics.events.labels(resource.kind).inc()
        store = self._resync.stores[resource]
        self._schemas.observe(resource)
        if event is None and self._warm.is_set():
            self._resync.relist(resource)
        with self.crashes.guard("watch event", resource.describe(*name_of(given))):
            if event == "DELETED":
                store.observe_deletion(given)
            elif event is None:
                store.observe_listed(given)
            else:
                store.observe(given)

    async def _reconcile(self, key: Key) -> None:
        await RECONCILERS[key[0]](key, self.context)

    async def _run(self) -> None:
        """Run all tasks: one that crashes is restarted, only what must end the process ends it."""
        async with asyncio.TaskGroup() as tasks:
            for name, work in self._tasks().items():
                tasks.create_task(restarting(name, work, self.crashes), name=name)

    def _tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        tasks: dict[str, Callable[[], Awaitable[None]]] = {
            "sources of CIDRs": self._sources.run,
            **{
                informer.selection.resources[0].full_name: informer.run
                for informer in (self._nads, self._node_defaults)
            },
            "leader election": self._lead,
            "work queue": self._begin,
            "resync": self._resync.run,
            "schema changes": self._schemas.run,
            "Events": self.context.events.run,
            "measure": partial(gauges.measure, self.context),
            "ranges": partial(ranges.follow, self.context),
        }
        if self.nodes is not None:
            tasks |= {"installer pods": self.nodes.watch, "node reports": self.nodes.read_logs}
            tasks["nodes"] = partial(fleet.follow, self.context, self.nodes)
        return tasks

    async def _begin(self) -> None:
        """Sync the caches, wait until this replica leads, then start the work queue."""
        services = self.context.services
        await self._sync_caches()
        self._warm.set()
        collect_seldom()
        await self._elector.observed.wait()
        services.health.ready = True
        stood_by_since = time.monotonic()
        await self._elector.started_leading.wait()
        if time.monotonic() - stood_by_since > _STANDS_BY:
            # What vanished meanwhile, kopf may not have reported.
            await self._sync_caches()
        for _, name in {*self.context.stores.coordinators, ("", services.settings.name)}:
            services.queue.add(coordinator_key(name))
        services.queue.start()

    async def _sync_caches(self) -> None:
        for kind in KINDS:
            await wait_for_cache_sync(self._client, kind, self._resync.stores[kind])
        await self._nads.synced.wait()
        try:
            async with asyncio.timeout(_SOURCES_ANSWER_WITHIN):
                await self._sources.synced.wait()
                await self._node_defaults.answered.wait()
        except TimeoutError:
            logger.warning("deciding without all sources of CIDRs, some do not answer yet")

    async def _lead(self) -> None:
        # Not before the caches are synced: who leads should be able to.
        await self._warm.wait()
        await self._elector.run()

    def _nads_observed(self, event: WatchEvent) -> None:
        services = self.context.services
        if not isinstance(event, WatchFailed):
            services.health.record_event(NETWORK_ATTACHMENT_DEFINITIONS.kind)
        if isinstance(event, Updated | Deleted):
            services.metrics.events.labels(NETWORK_ATTACHMENT_DEFINITIONS.kind).inc()
        triggers.nads_served(self.context, served=self._nads.served)

    def _sources_changed(self) -> None:
        self.context.enqueue_coordinator()

    def _kinds_changed(self, name: str) -> None:
        if name in ("", NETWORK_ATTACHMENT_DEFINITIONS.full_name):
            self._nads.wake()

    def _kind_removed(self, name: str) -> None:
        if name in {kind.full_name for kind in KINDS}:
            # kopf would miss it when it comes back: it looks for kinds once, at its start.
            text = f"the CRD {name} was deleted: this process ends; started again it waits for it"
            self._fail(KindRemovedError(text))

    def _schema_changed(self, name: str) -> None:
        if name == NETWORK_ATTACHMENT_DEFINITIONS.full_name:
            self._nads.expire()
        for kind in KINDS:
            if name == kind.full_name:
                self._schemas.changed(kind)

    def _ended(self, background: asyncio.Task[None]) -> None:
        if not background.cancelled() and (error := background.exception()):
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """End the process: kopf takes the signal and calls the cleanup handler."""
        if self.failure is None:
            self.failure = error
            signal.raise_signal(signal.SIGTERM)
