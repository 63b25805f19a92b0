"""Which replica works: the one that holds the Lease; the others stand by and take it over.

`lease` decides, this reads and writes the Lease. A replica that led and does not any more ends, so
that there is one way only into leading: from the start. Nothing of it reaches the API
server by then: each request of the reconcilers that changes something passes `Leader.fence`, which
knows by the local clock how long the Lease is ours, whatever this process was kept from noticing.
"""

from __future__ import annotations

import asyncio
import logging
import math
import platform
import random
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NoReturn, Self, TypeVar

from spidercoordinator.errors import (
    ApiConflictError,
    ApiError,
    ApiNotFoundError,
    ApiUnavailableError,
    LeadershipLostError,
)
from spidercoordinator.kube.client import Api
from spidercoordinator.kube.reflector import Changed, Follower, Listed, Seen, Selection
from spidercoordinator.kube.resource import LEASES, Object
from spidercoordinator.runtime.health import Health
from spidercoordinator.runtime.leaderelection.lease import (
    TERMS,
    Candidate,
    Sighting,
    Standing,
    claimed,
    expiry,
    judge,
    leads_until,
    released,
    see,
)
from spidercoordinator.runtime.settings import Settings

logger = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

_PATIENCE: Final = TERMS.renew_deadline / 2
"""Seconds to wait for one answer, so that a lost one does not cost the Lease."""
_JITTER: Final = 0.2
"""The share of the retry period that is random: replicas must not ask in step."""
_FROZEN: Final = "this process was not running"


@dataclass(slots=True)
class Leader:
    """See the module.

    Attributes:
        api: how to ask.
        namespace: of the Lease.
        name: of the Lease; empty when there is none, and this process leads at once.
        me: this process.
        health: is told what the election waits for.
        answered: set once it is known who leads.
        acquired: set once this process leads.
    """

    api: Api
    namespace: str
    name: str
    me: Candidate
    health: Health
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    acquired: asyncio.Event = field(default_factory=asyncio.Event)
    _sighting: Sighting | None = None
    _belongings: Object = field(default_factory=dict)
    _until: float = 0.0
    _over: bool = False
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _said: str = ""

    @classmethod
    def standing(cls, api: Api, settings: Settings, health: Health) -> Self:
        """A candidate as the settings want it."""
        pod, uid = settings.pod
        me = Candidate(pod or platform.node(), uid, secrets.token_hex(4))
        return cls(api, settings.namespace, settings.lease, me, health)

    @property
    def leads(self) -> bool:
        """Whether this process may change anything now."""
        return self.acquired.is_set() and not self._over and now() < self._until

    async def fence(self) -> None:
        """Let a change pass while this process leads.

        Before that it waits for its time. Afterwards it waits for the end of the process, which
        follows at once: one message tells why, instead of one for each change.
        """
        await self.acquired.wait()
        if not self.leads:
            # For good: what waits here would miss a renewal that comes through after all.
            self._over = True
            self._woken.set()
            await asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Stand by, then lead, without end.

        Raises:
            LeadershipLostError: this process led and must end.
        """
        if not self.name:
            self._until = math.inf
            self._begin()
            await asyncio.get_running_loop().create_future()
        self.health.waits_for = f"{self._lease} has not been read yet"
        listening = asyncio.create_task(self._listen(), name="lease")
        try:
            await self._stand_by()
            self._begin()
            await self._lead()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def release(self) -> None:
        """Give the Lease back, so that another replica need not wait; nothing may be written after.

        It is read first: a request of ours may have been granted without our knowing.
        """
        if self._sighting is None:
            return
        try:
            await self._read()
            if not self._seen.version or self._seen.holder != self.me.identity:
                return
            await self._write(released(stamp()))
        except ApiError as error:
            logger.warning("others wait %g s for %s: %s", TERMS.duration, self._lease, error)
        else:
            logger.info("gave %s back", self._lease)

    @property
    def _lease(self) -> str:
        return LEASES.describe(self.namespace, self.name)

    @property
    def _seen(self) -> Sighting:
        assert self._sighting is not None  # noqa: S101 - whoever asks has read it
        return self._sighting

    def _begin(self) -> None:
        if self.name:
            logger.info("leading: %s is ours", self._lease, extra={"holder": self.me.identity})
        self.answered.set()
        self.acquired.set()

    async def _stand_by(self) -> None:
        """Return once the Lease is ours."""
        while True:
            self._woken.clear()
            wait = TERMS.retry_period
            try:
                await self._read()
                held = judge(self._seen, self.me, now()) is Standing.HELD
                if not held and await self._claim():
                    return
            except ApiError as error:
                self.health.waits_for = f"this replica cannot lead: {error}"
                self._say(logging.ERROR, self.health.waits_for)
            else:
                self.answered.set()
                if held:
                    self._say(
                        logging.INFO, f"standing by: {self._lease} is held by {self._seen.holder}"
                    )
                wait = min(wait, max(expiry(self._seen) - now(), 0.0))
            await self._rest(wait + _JITTER * TERMS.retry_period * random.random())  # noqa: S311 - spreads load

    async def _lead(self) -> NoReturn:
        """Keep the Lease until that fails."""
        reason = _FROZEN
        while True:
            await self._rest(max(min(TERMS.retry_period, self._until - now()), 0.0))
            self._woken.clear()
            if not self.leads:
                self._lose(f"could not be renewed for {TERMS.renew_deadline:g} s ({reason})")
            try:
                if not await self._claim():
                    await self._read()
                    if self._seen.holder not in ("", self.me.identity):
                        self._lose(f"was taken by {self._seen.holder}")
                    await self._claim()
            except ApiError as error:
                reason = str(error)
                self._say(logging.WARNING, f"{self._lease} cannot be renewed: {error}")
            else:
                reason, self._said = _FROZEN, ""

    def _lose(self, what: str) -> NoReturn:
        self._over = True
        raise LeadershipLostError(
            f"{self._lease} {what}: another replica may lead, so this process ends; started "
            "again it stands by"
        )

    async def _read(self) -> None:
        lease = await self._in_time(self.api.find(LEASES, self.name, self.namespace))
        self._take_in(lease)

    def _take_in(self, lease: Object | None) -> None:
        self._sighting = see(self._sighting, lease, now())
        if lease:
            meta = lease["metadata"]
            self._belongings = {key: meta[key] for key in ("labels", "annotations") if key in meta}

    async def _claim(self) -> bool:
        """Take or renew the Lease; False when it is not as it was seen, or it took long."""
        asked = now()
        try:
            answer = await self._write(claimed(self._seen, self.me, stamp()))
        except ApiConflictError:
            return False
        except ApiNotFoundError:
            if not self._seen.version:
                raise
            return False
        self._take_in(answer)
        self._until = leads_until(asked)
        return now() < self._until

    async def _write(self, spec: dict[str, Any]) -> Object:
        if not self._seen.version:
            # Made anew as it was: without helm's marks no release could be installed over it.
            meta = {**self._belongings, "name": self.name, "namespace": self.namespace}
            body = {"metadata": meta, "spec": spec}
            return await self._in_time(self.api.create(LEASES, body, self.namespace))
        patch = {"metadata": {"resourceVersion": self._seen.version}, "spec": spec}
        return await self._in_time(self.api.patch(LEASES, self.name, self.namespace, patch=patch))

    async def _in_time(self, request: Coroutine[Any, Any, _Answer]) -> _Answer:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await request
        except TimeoutError as error:
            text = f"{self._lease}: no answer from the API server within {_PATIENCE:g} s"
            raise ApiUnavailableError(text) from error

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _listen(self) -> None:
        """Look at the Lease as soon as its holder changes; without this, a moment later."""
        selection = Selection((LEASES,), self.namespace, fields=f"metadata.name={self.name}")
        async for seen in Follower(self.api, selection).follow():
            holders = {Sighting(each.get("spec") or {}, "", 0.0).holder for each in _leases(seen)}
            if self._sighting and holders - {self._sighting.holder, self.me.identity}:
                self._woken.set()

    def _say(self, level: int, text: str) -> None:
        """Log what is new only: the same is found out every other second."""
        if text != self._said:
            logger.log(level, text)
        self._said = text


def _leases(seen: Seen) -> list[Object]:
    if isinstance(seen, Listed):
        return seen.objects
    return [seen.object] if isinstance(seen, Changed) else []


def now() -> float:
    """Seconds of a clock that goes on while the machine sleeps, which that of asyncio does not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def stamp() -> str:
    """The time of day as a MicroTime."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
