"""The operator as one process: login, kopf, followers, queue, HTTP, and how they start and end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import kopf

from spidercoordinator.discovery.informers import Followers, Signals
from spidercoordinator.discovery.sources import detectors, sources
from spidercoordinator.errors import SettingsError
from spidercoordinator.handlers import following, sweep
from spidercoordinator.handlers.admission import register_webhooks
from spidercoordinator.handlers.events import register
from spidercoordinator.handlers.prime import prime, until_answered
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.client import Api
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.reflector import Follower
from spidercoordinator.reconcilers import spidercoordinator, spidermultusconfig
from spidercoordinator.reconcilers.context import COORDINATOR, NETWORK, State, coordinator_key
from spidercoordinator.runtime.health import Health, Server
from spidercoordinator.runtime.leaderelection.elector import LeaderElector
from spidercoordinator.runtime.metrics import Metrics
from spidercoordinator.runtime.settings import Settings
from spidercoordinator.runtime.workqueue import Key, WorkQueue

logger = logging.getLogger(__name__)

_SETTLE: Final = 10.0
"""Seconds to wait for all sources before the first decision; late ones lead to another."""
_WATCH: Final = 60
"""Seconds after which the API server ends a watch."""
_GRACE: Final = 10.0
"""Seconds a client waits longer than the server should take."""
_MEASURE_EVERY: Final = 5.0

RECONCILERS: Final = {
    COORDINATOR: spidercoordinator.reconcile,
    NETWORK: spidermultusconfig.reconcile,
    sweep.KIND: sweep.reconcile,
}
"""Reconcilers by the first part of a key."""


async def run(settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        LoginError: there is no way to the API server.
        LeadershipLostError: another replica leads now, or may do so soon.
        SettingsError: the HTTP port cannot be had.
    """
    login = await Login.find(environ)
    async with Api(login) as api:
        operator = _Operator.assemble(settings, api)
        try:
            await operator.server.start(settings.http_port)
        except OSError as error:
            text = f"cannot listen on port {settings.http_port} (SPIDERCOORDINATOR_HTTP_PORT)"
            raise SettingsError(f"{text}: {error.strerror}") from error
        address = {"server": login.server, "port": operator.server.port}
        logger.info("started for SpiderCoordinator %s", settings.name, extra=address)
        try:
            await operator.run()
        finally:
            await operator.server.stop()
        logger.info("ended")


@dataclass(slots=True)
class _Operator:
    state: State
    followers: Followers
    objects: dict[str, Follower]
    server: Server
    elector: LeaderElector
    primed: asyncio.Event = field(default_factory=asyncio.Event)
    warm: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def assemble(cls, settings: Settings, api: Api) -> _Operator:
        metrics, health = Metrics(), Health()

        async def reconcile(key: Key) -> None:
            await RECONCILERS[key[0]](key, state)

        def kinds_changed(name: str) -> None:
            for full_name, follower in objects.items():
                if name in ("", full_name):
                    follower.woken.set()

        queue = WorkQueue(reconcile, metrics=metrics)
        followers = Followers(
            api,
            sources(settings.cilium_configmap),
            detectors(settings.cilium_configmap),
            Signals(
                changed=lambda: queue.add(coordinator_key(settings.name)),
                kinds_changed=kinds_changed,
                heard=health.record_event,
                up=lambda topic, value: metrics.source_up.labels(topic).set(value),
            ),
        )
        elector = LeaderElector.for_pod(api, settings, health)
        fenced = api.fenced(elector.fence)
        state = State(settings, fenced, queue, followers, metrics=metrics, health=health)
        objects = following.followers(state)
        metrics.gauge(
            "leader",
            "Whether this replica is the leader (1) or not (0).",
            lambda: elector.is_leader,
        )
        metrics.gauge(
            "queue_depth",
            "Keys that wait in the work queue.",
            lambda: queue.length if elector.is_leader else 0,
        )
        metrics.gauge(
            "queue_retrying",
            "Keys whose last reconciliation failed.",
            lambda: queue.retrying,
        )
        metrics.gauge("networks", "SpiderMultusConfigs.", lambda: len(state.networks))
        metrics.gauge(
            "last_heard_seconds",
            "Seconds since the last watch event or list.",
            health.seconds_since_last_event,
        )
        return cls(state, followers, objects, Server(health, metrics), elector)

    async def run(self) -> None:
        """Run until told to stop, or until a part fails."""
        self._take_signals()
        background = asyncio.create_task(self._background(), name="background")
        framework = asyncio.create_task(self._kopf(), name="kopf")
        leading = asyncio.create_task(self._lead(), name="leader election")
        told = asyncio.create_task(self.stop.wait(), name="told to stop")
        parts = {background, framework, leading, told}
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Ours first: kopf waits for every task that began after it.
            for part in (background, leading, told):
                part.cancel()
            await self.state.queue.shut_down()
            await asyncio.gather(background, leading, told, return_exceptions=True)
            if leading.cancelled():
                await self.elector.release()
            _hush_kopf()
            # By its stop flag kopf would give requests it has just begun five seconds more.
            framework.cancel()
            await asyncio.gather(framework, return_exceptions=True)
        for part in (leading, background, framework):
            if not part.cancelled():
                part.result()

    async def _kopf(self) -> None:
        # kopf looks once which kinds there are: not before ours are there.
        await self.primed.wait()
        registry = kopf.OperatorRegistry()
        settings = kopf_settings()
        register(registry, self.state)
        register_webhooks(registry, settings, self.state)
        kopf.on.login(registry=registry, id="login", errors=kopf.ErrorsMode.TEMPORARY)(self._login)
        before = asyncio.all_tasks()
        # kopf names itself by this or by the user's name, and a container's user id has no name.
        os.environ.setdefault("POD_ID", "spidercoordinator")
        tasks = await kopf.spawn_tasks(
            registry=registry,
            settings=settings,
            standalone=True,
            clusterwide=True,
        )
        # kopf has just taken the signals; taken back, so that our own part ends before kopf, which
        # would wait for it.
        self._take_signals()
        await kopf.run_tasks(tasks, ignored=before)

    async def _lead(self) -> None:
        # Not before the stores are full: who leads should be able to.
        await self.warm.wait()
        await self.elector.run()

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self.stop.set)

    async def _login(self, **_: Any) -> kopf.AiohttpSession:
        api = self.state.api
        return kopf.AiohttpSession(
            server=api.login.server, aiohttp_session=api.login.session(api.client)
        )

    async def _background(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.followers.run(), name="followers")
            tasks.create_task(self._begin(tasks), name="begin")
            tasks.create_task(self._measure(), name="measure")

    async def _begin(self, tasks: asyncio.TaskGroup) -> None:
        """Read what the first decisions need, then let the queue work."""
        state = self.state
        await until_answered(partial(prime, state))
        for kind in following.FOLLOWED:
            name = kind.resource.full_name
            tasks.create_task(following.follow(state, kind, self.objects[name]), name=name)
        self.primed.set()
        try:
            async with asyncio.timeout(_SETTLE):
                await self.followers.settled.wait()
        except TimeoutError:
            logger.warning("deciding without all sources of CIDRs, some do not answer yet")
        self.warm.set()
        await self.elector.observed.wait()
        state.health.ready = True
        await self.elector.started_leading.wait()
        # What vanished while this replica stood by, kopf has not told.
        await until_answered(partial(sweep.reconcile, sweep.KEY, state))
        for name in {*state.coordinators, state.settings.name}:
            state.queue.add(coordinator_key(name))
        state.queue.start()

    async def _measure(self) -> None:
        while True:
            self.state.health.longest_reconcile = self.state.queue.longest_running()
            await asyncio.sleep(_MEASURE_EVERY)


def _hush_kopf() -> None:
    """Keep kopf's traces of requests that are cut off from hiding why the operator ends."""
    logging.getLogger("kopf").setLevel(logging.CRITICAL)
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: logger.debug("while ending: %s", context.get("message"))
    )


def kopf_settings() -> kopf.OperatorSettings:
    """What kopf needs to be told to run in production."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.watching.server_timeout = _WATCH
    settings.watching.client_timeout = _WATCH + _GRACE
    settings.watching.inactivity_timeout = _WATCH + _GRACE
    settings.watching.connect_timeout = _GRACE
    # A cluster's CRDs are megabytes: kopf reads all of them to learn of new kinds.
    settings.watching.chunk_size = 100
    settings.networking.request_timeout = 30.0
    settings.networking.connect_timeout = _GRACE
    # Endless and with jitter: an API server that is away for an hour must not end the operator.
    settings.networking.error_backoffs = Backoff(first=0.5, cap=15.0)
    # A worker keeps its place until it has idled this long; the handler only adds a key to our own
    # queue, which is bounded, so no limit is needed here.
    settings.queueing.idle_timeout = 0.1
    settings.queueing.worker_limit = None
    return settings
