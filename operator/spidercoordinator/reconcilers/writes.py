"""What this process has written, so that a fight over an object does not become a storm."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from typing_extensions import override

from spidercoordinator.core.status.contention import (
    History,
    Path,
    calm_after,
    delay,
    rivals,
    written,
)
from spidercoordinator.kube.client import FIELD_MANAGER, Client
from spidercoordinator.kube.resource import Resource
from spidercoordinator.runtime.workqueue import Key

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """What is written of an object.

    Attributes:
        resource: its kind.
        namespace: of the object.
        name: of the object.
        fields: paths of the fields.
        uid: of the object, or of the one it is written for: made anew it has no history.
    """

    resource: Resource
    namespace: str
    name: str
    fields: tuple[Path, ...]
    uid: str = ""

    @override
    def __str__(self) -> str:
        """The object and the first of the fields, for messages."""
        return f"{'.'.join(self.fields[0])} of {self.resource.describe(self.namespace, self.name)}"


@dataclass(frozen=True, slots=True)
class Contest:
    """Somebody undoes what is written.

    Attributes:
        message: who does, for people.
        wait: seconds after which to look again.
        new: whether it has just been found out.
    """

    message: str
    wait: float
    new: bool = False


@dataclass(slots=True)
class _Known:
    history: History
    message: str = ""
    """Of the contest, while there is one."""


@dataclass(slots=True)
class Writes:
    """The histories of writes, by the key of the work queue that makes them and by target.

    Attributes:
        client: with which field managers are looked up.
        clock: the time in seconds.
    """

    client: Client
    clock: Callable[[], float] = time.monotonic
    _known: dict[Key, dict[Target, _Known]] = field(default_factory=dict)

    def delay(self, key: Key, target: Target, digest: str, *, wording: bool = False) -> float:
        """Seconds to wait before this is written; 0 when it may be now.

        Args:
            key: Whose reconciliation writes it.
            target: What is written.
            digest: Stands for the content.
            wording: Whether only texts for people differ from what is there.
        """
        return delay(self._of(key, target).history, digest, self.clock(), wording=wording)

    def written(self, key: Key, target: Target, digest: str, *, wording: bool = False) -> None:
        """Note that this was written."""
        known = self._of(key, target)
        known.history = written(known.history, digest, self.clock(), wording=wording)
        self._known.setdefault(key, {})[target] = known

    def has_written(self, key: Key, target: Target) -> bool:
        """Whether anything was written there."""
        return bool(self._of(key, target).history.digests)

    def is_undone(self, key: Key, target: Target, digest: str) -> bool:
        """Whether this is what was written last, so that somebody has undone it."""
        return self._of(key, target).history.digests[-1:] == (digest,)

    def is_contested(self, key: Key, target: Target) -> bool:
        """Whether others undo what is written, and that has not ended."""
        return self._of(key, target).history.contested

    async def contested(self, key: Key, target: Target, wait: float) -> Contest:
        """Note that a write has to wait since it was undone too often, and find out by whom.

        Raises:
            ApiError: the API server was not reached; call again.
        """
        known = self._of(key, target)
        new = not known.history.contested
        if new:
            found = await self.client.find(target.resource, target.name, target.namespace)
            fields = (found or {"metadata": {}})["metadata"].get("managedFields") or ()
            who = rivals(fields, FIELD_MANAGER, target.fields)
            known.message = (
                f"{target} is changed again and again by {who}; it is put back once a minute only,"
                " until one of the two stops"
            )
            known.history = replace(known.history, contested=True)
            logger.warning("%s", known.message)
        return Contest(known.message, wait, new)

    def settled(self, key: Key, target: Target) -> Contest | None:
        """Note that the object is as desired; gives the contest that may not have ended yet."""
        known = self._of(key, target)
        if not known.history.contested:
            return None
        if wait := calm_after(known.history, self.clock()):
            return Contest(known.message, wait)
        known.history = replace(known.history, contested=False)
        logger.info("%s is not changed by others any more", target)
        return None

    def forget(self, key: Key) -> None:
        """Forget a key whose object is gone."""
        self._known.pop(key, None)

    def _of(self, key: Key, target: Target) -> _Known:
        known = self._known.get(key, {}).get(target)
        return known or _Known(History(at=self.clock()))


async def once_a_minute(
    writes: Writes, key: Key, target: Target, digest: str, write: Callable[[], Awaitable[object]]
) -> Contest | None:
    """Write what is not as desired, unless others have undone it too often.

    Args:
        writes: What was written before.
        key: Whose reconciliation it is.
        target: What is written.
        digest: Stands for the content.
        write: Writes it.

    Returns:
        The contest, None while there is none.

    Raises:
        ApiError: the API server refused or was not reached.
    """
    if wait := writes.delay(key, target, digest):
        return await writes.contested(key, target, wait)
    await write()
    writes.written(key, target, digest)
    return writes.settled(key, target)
