"""Leader election: the replica that holds the Lease reconciles; the others wait to take it over.

`lease` decides, this reads and writes the Lease. A leader that lost it ends, so that there is one
way only to become leader: from the start. Nothing of it reaches the API server by then: each
request of the reconcilers that changes something passes `LeaderElector.fence`, which knows by the
local clock how long the Lease is ours, whatever this process was kept from noticing.
"""

from __future__ import annotations

import asyncio
import logging
import math
import platform
import random
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, Self, TypeVar

from spidercoordinator.errors import (
    ApiConflictError,
    ApiError,
    ApiNotFoundError,
    ApiUnavailableError,
    LeadershipLostError,
    SpiderCoordinatorError,
)
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.crash import CrashHandler, brief, restarting
from spidercoordinator.kube.resource import LEASES, Object
from spidercoordinator.runtime.health import Health
from spidercoordinator.runtime.leaderelection.clock import now, timestamp
from spidercoordinator.runtime.leaderelection.lease import (
    Candidate,
    LeaderElectionConfig,
    LeaseState,
    ObservedRecord,
    expires_at,
    is_granted,
    leader_election_record,
    lease_state,
    observe,
    released_record,
    renew_deadline_after,
)
from spidercoordinator.runtime.leaderelection.leasewatch import watch_holder
from spidercoordinator.runtime.logging import StateLogger
from spidercoordinator.runtime.settings import Settings

logger = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

_JITTER: Final = 0.2
"""The share of the retry period that is random: replicas must not ask at once."""
_FROZEN: Final = "this process was not running"


@dataclass(slots=True)
class LeaderElector:
    """See the module.

    Attributes:
        client: the way to the API server.
        namespace: of the Lease.
        name: of the Lease; empty when there is none, and this process leads at once.
        candidate: this process.
        health: gets what the election waits for.
        config: how long the Lease holds.
        crashes: gets what the watch of the Lease raises.
        observed: set once it is known who leads.
        started_leading: set once this process leads.
    """

    client: Client
    namespace: str
    name: str
    candidate: Candidate
    health: Health
    config: LeaderElectionConfig = field(default_factory=LeaderElectionConfig)
    crashes: CrashHandler = field(default_factory=CrashHandler)
    observed: asyncio.Event = field(default_factory=asyncio.Event)
    started_leading: asyncio.Event = field(default_factory=asyncio.Event)
    _record: ObservedRecord | None = None
    _metadata: Object = field(default_factory=dict)
    _deadline: float = 0.0
    _stopped: bool = False
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _state: StateLogger = field(default_factory=lambda: StateLogger(logger))

    @classmethod
    def for_pod(
        cls, client: Client, settings: Settings, health: Health, crashes: CrashHandler
    ) -> Self:
        """The candidate that is this process, in the pod that the settings name."""
        pod = settings.pod_name or platform.node()
        me = Candidate(pod, settings.pod_uid, secrets.token_hex(4))
        namespace, name, config = settings.namespace, settings.lease, settings.leader_election
        return cls(client, namespace, name, me, health, config, crashes)

    @property
    def is_leader(self) -> bool:
        """Whether this process may change anything now."""
        return self.started_leading.is_set() and not self._stopped and now() < self._deadline

    async def fence(self) -> None:
        """Let a change pass while this process leads.

        Before that it waits until it does. Afterwards it waits for the end of the process, which
        follows at once: one message tells why, instead of one for each change.
        """
        await self.started_leading.wait()
        if not self.is_leader:
            # For good: what waits here would miss a renewal that comes through after all.
            self._stopped = True
            self._woken.set()
            await asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Acquire the Lease, then renew it, without end.

        Raises:
            LeadershipLostError: this process led and must end.
        """
        if not self.name:
            self._deadline = math.inf
            self._start_leading()
            await asyncio.get_running_loop().create_future()
        self.health.not_ready_reason = f"{self._lease} has not been read yet"
        watch = asyncio.create_task(
            restarting(f"watch of {self._lease}", self._watch, self.crashes), name="watch lease"
        )
        try:
            await self._acquire()
            self._start_leading()
            await self._renew()
        except Exception as error:
            if isinstance(error, SpiderCoordinatorError) or not self.started_leading.is_set():
                raise
            logger.exception("leader election crashed")
            self._stop_leading(f"cannot be renewed ({brief(error)})")
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def release(self) -> None:
        """Release the Lease, so that another replica need not wait; nothing may be written after.

        It is read first: a request of ours may have been granted without our knowing.
        """
        if self._record is None:
            return
        try:
            await self._read()
            record = self._observed_record
            if not record.resource_version or record.holder_identity != self.candidate.identity:
                return
            await self._write(released_record(timestamp()))
        except ApiError as error:
            logger.warning("others wait until %s expires, not released: %s", self._lease, error)
        else:
            logger.info("%s released", self._lease)

    @property
    def _lease(self) -> str:
        return LEASES.describe(self.namespace, self.name)

    @property
    def _observed_record(self) -> ObservedRecord:
        assert self._record is not None  # noqa: S101 - whoever asks has read it
        return self._record

    def _start_leading(self) -> None:
        if self.name:
            holder = {"holder": self.candidate.identity}
            logger.info(
                "became leader, acquired %s", self._lease, extra=holder | {"object": self._lease}
            )
        self.observed.set()
        self.started_leading.set()

    async def _acquire(self) -> None:
        """Return once the Lease is ours."""
        while True:
            self._woken.clear()
            wait = self.config.retry_period
            try:
                await self._read()
                state = lease_state(self._observed_record, self.candidate, now(), self.config)
                held = state is LeaseState.HELD_BY_OTHER
                if not held and await self._try_acquire_or_renew():
                    return
            except ApiError as error:
                self.health.not_ready_reason = f"cannot acquire the Lease: {error}"
                self._state.log(logging.ERROR, self.health.not_ready_reason)
            else:
                self.observed.set()
                if held:
                    holder = self._observed_record.holder_identity
                    self._state.log(logging.INFO, f"waiting, {self._lease} is held by {holder}")
                wait = min(wait, max(expires_at(self._observed_record, self.config) - now(), 0.0))
            jitter = _JITTER * self.config.retry_period * random.random()  # noqa: S311 - spreads load
            await self._wait(wait + jitter)

    async def _renew(self) -> NoReturn:
        """Renew the Lease until that fails."""
        reason = _FROZEN
        while True:
            await self._wait(max(min(self.config.retry_period, self._deadline - now()), 0.0))
            self._woken.clear()
            if not self.is_leader:
                self._stop_leading(f"not renewed for {self.config.renew_deadline:g} s ({reason})")
            try:
                if not await self._try_acquire_or_renew():
                    await self._read()
                    holder = self._observed_record.holder_identity
                    if holder not in ("", self.candidate.identity):
                        self._stop_leading(f"was acquired by {holder}")
                    if not await self._try_acquire_or_renew():
                        raise ApiConflictError(f"patch {self._lease}: 409 each time")
            except ApiError as error:
                reason = str(error)
                self._state.log(logging.WARNING, f"failed to renew {self._lease}: {error}")
            else:
                reason = _FROZEN
                self._state.over(f"{self._lease} is renewed again")

    def _stop_leading(self, why: str) -> NoReturn:
        self._stopped = True
        raise LeadershipLostError(
            f"stopped leading, {self._lease} {why}: another replica may lead, so this process "
            "ends; started again it waits for the Lease"
        )

    async def _read(self) -> None:
        lease = await self._within_timeout(self.client.find(LEASES, self.name, self.namespace))
        self._observe(lease)

    def _observe(self, lease: Object | None) -> None:
        self._record = observe(self._record, lease, now())
        if lease:
            meta = lease["metadata"]
            self._metadata = {key: meta[key] for key in ("labels", "annotations") if key in meta}

    async def _try_acquire_or_renew(self) -> bool:
        """Write our record; False when the Lease is not as it was observed, or it took long."""
        requested_at = now()
        record = leader_election_record(
            self._observed_record, self.candidate, timestamp(), self.config
        )
        try:
            answer = await self._write(record)
        except ApiConflictError:
            return False
        except ApiNotFoundError:
            if not self._observed_record.resource_version:
                raise
            return False
        if not is_granted(record, answer):
            raise ApiUnavailableError(f"{self._lease}: a change was answered with another one")
        self._observe(answer)
        self._deadline = renew_deadline_after(requested_at, self.config)
        return now() < self._deadline

    async def _write(self, spec: dict[str, Any]) -> Object:
        version = self._observed_record.resource_version
        if not version:
            # Made anew as it was: without helm's marks no release could be installed over it.
            meta = {**self._metadata, "name": self.name, "namespace": self.namespace}
            body = {"metadata": meta, "spec": spec}
            return await self._within_timeout(self.client.create(LEASES, body, self.namespace))
        patch = {"metadata": {"resourceVersion": version}, "spec": spec}
        return await self._within_timeout(
            self.client.patch(LEASES, self.name, self.namespace, patch=patch)
        )

    async def _within_timeout(self, request: Coroutine[Any, Any, _Answer]) -> _Answer:
        # So that a lost answer does not cost the Lease.
        seconds = self.config.renew_deadline / 2
        try:
            async with asyncio.timeout(seconds):
                return await request
        except TimeoutError as error:
            text = f"{self._lease}: no answer from the API server within {seconds:g} s"
            raise ApiUnavailableError(text) from error

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _watch(self) -> None:
        """Look at the Lease as soon as its holder changes; without this, a moment later."""
        async for holder in watch_holder(self.client, self.namespace, self.name):
            known = self._record and {self._record.holder_identity, self.candidate.identity}
            if known and holder not in known:
                self._woken.set()
