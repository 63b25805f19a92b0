"""Kubernetes Events: what happened to an object, for `kubectl describe`.

Written in the background, like client-go's EventBroadcaster (tools/record) does it: no
reconciliation waits for one, fails with one, or causes a storm of them.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable
from typing import Final

from spidercoordinator.api.names import LONGEST_NAME
from spidercoordinator.api.objects import name_of
from spidercoordinator.core.status.transitions import Transition
from spidercoordinator.errors import ApiError, ApiUnavailableError, Refusal
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.client import FIELD_MANAGER, Client
from spidercoordinator.kube.resource import EVENTS, Object, Resource
from spidercoordinator.kube.timestamp import now

logger = logging.getLogger(__name__)

_LONGEST_MESSAGE: Final = 1024
"""The API server refuses longer ones."""
_MOST_PENDING: Final = 2000
_YIELDS_FOR: Final = 30.0
"""Seconds for which Events wait behind what is being reconciled."""
_LOOKS_EVERY: Final = 0.05
_TRIES: Final = 4
_GOES: Final = frozenset({Refusal.NAMESPACE_TERMINATING, Refusal.NOT_FOUND})
"""Why none can be written in a namespace that is being deleted, or is gone: nobody misses one."""
_WEBHOOK: Final = Refusal.WEBHOOK_FAILED
"""Takes its time-out at each try, while the Events of all other namespaces wait."""


class Recorder:
    """Writes Events one after the other, and a line in the log of each.

    Args:
        client: where to.
        busy: whether there is something to reconcile, which goes before.
    """

    def __init__(self, client: Client, busy: Callable[[], bool] = lambda: False) -> None:
        self._client = client
        self._busy = busy
        self._backoff = Backoff(first=0.5, cap=10.0)
        self._pending: deque[Object] = deque()
        self._wake = asyncio.Event()
        self._failing: set[str] = set()
        self._dropped = 0

    def record(self, resource: Resource, about: Object, transition: Transition) -> None:
        """Have an Event about an object written soon.

        Args:
            resource: the object's kind.
            about: the object.
            transition: what happened to it.
        """
        _log(resource, about, transition)
        if len(self._pending) >= _MOST_PENDING:
            self._dropped += 1
            if self._dropped == 1:
                logger.warning("Events are dropped: %d wait to be written", _MOST_PENDING)
            return
        self._pending.append(event_of(resource, about, transition, now=now()))
        self._wake.set()

    async def run(self) -> None:
        """Write what is recorded, without end."""
        while True:
            self._wake.clear()
            if not self._pending:
                await self._wake.wait()
            ends = asyncio.get_running_loop().time() + _YIELDS_FOR
            while self._pending:
                await self._yield(ends)
                await self._write(self._pending.popleft())
            if self._dropped:
                logger.warning("%d Events were dropped", self._dropped)
                self._dropped = 0

    async def _yield(self, ends: float) -> None:
        """In a burst of networks their NADs and statuses go before Events about them."""
        clock = asyncio.get_running_loop().time
        while self._busy() and clock() < ends:  # noqa: ASYNC110 - nobody announces its end
            await asyncio.sleep(_LOOKS_EVERY)

    async def _write(self, event: Object) -> None:
        namespace = event["metadata"]["namespace"]
        for failures in range(1, _TRIES + 1):
            try:
                await self._client.create(EVENTS, event, namespace)
            except ApiError as error:
                if not self._retries(namespace, error):
                    return
                await asyncio.sleep(max(self._backoff.delay(failures), error.retry_after))
            else:
                self._passed(namespace)
                return

    def _retries(self, namespace: str, error: ApiError) -> bool:
        """Say once what fails: everywhere, or in a namespace; whether to try again."""
        if error.refusal in _GOES:
            logger.debug("an Event is left out: %s", error)
            return False
        retries = isinstance(error, ApiUnavailableError) and error.refusal is not _WEBHOOK
        where = "" if retries else namespace
        if where not in self._failing:
            logger.warning("an Event could not be written, and is lost: %s", error)
        if len(self._failing) < _MOST_PENDING:
            self._failing.add(where)
        return retries

    def _passed(self, namespace: str) -> None:
        for where in self._failing & {"", namespace}:
            self._failing.discard(where)
            logger.info("Events can be written again%s", where and f" in namespace {where}")


def event_of(resource: Resource, about: Object, transition: Transition, *, now: str) -> Object:
    """The Event to create.

    Args:
        resource: the object's kind.
        about: the object.
        transition: what happened to it.
        now: the time in RFC 3339.
    """
    meta = about["metadata"]
    # Events about cluster-wide objects live in the namespace default, as the API server wants it.
    namespace = meta.get("namespace") or "default"
    return {
        "metadata": {"name": _name_for(meta["name"]), "namespace": namespace},
        "involvedObject": {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "name": meta["name"],
            "namespace": meta.get("namespace", ""),
            "uid": meta.get("uid", ""),
            "resourceVersion": meta.get("resourceVersion", ""),
        },
        "type": transition.type,
        "reason": transition.reason,
        "message": transition.message[:_LONGEST_MESSAGE],
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": f"spiderpool.spidernet.io/{FIELD_MANAGER}",
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }


def _name_for(name: str) -> str:
    """A name of its own, no longer than a name may be, whatever the object's."""
    suffix = secrets.token_hex(8)
    return f"{name[: LONGEST_NAME - len(suffix) - 1].rstrip('-.')}.{suffix}"


def _log(resource: Resource, about: Object, transition: Transition) -> None:
    """Say what an Event says: the Event is gone after an hour."""
    what = resource.describe(*name_of(about))
    level = logging.WARNING if transition.type == "Warning" else logging.INFO
    extra = {"object": what, "reason": transition.reason}
    logger.log(level, "%s: %s", what, transition.message or transition.reason, extra=extra)
