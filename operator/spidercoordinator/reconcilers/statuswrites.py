"""Whether a status may be written now: not when others have undone it too often."""

from __future__ import annotations

from dataclasses import dataclass

from spidercoordinator.core.status.transitions import Transition
from spidercoordinator.kube.resource import Object
from spidercoordinator.reconcilers.context import Context
from spidercoordinator.reconcilers.writes import Target
from spidercoordinator.runtime.workqueue import Key


@dataclass(frozen=True, slots=True)
class StatusWrite:
    """A status that is to be written.

    Attributes:
        key: whose reconciliation writes it.
        target: the status of the object.
        digest: stands for what it says.
        wording: whether only texts for people differ from what is there.
    """

    key: Key
    target: Target
    digest: str
    wording: bool


async def admitted(context: Context, write: StatusWrite, observed: Object) -> bool:
    """Whether the status may be written; otherwise its object is reconciled again in time.

    Args:
        context: What reconcilers share.
        write: The status.
        observed: The object, for the Event that tells of who undoes it.

    Raises:
        ApiError: the API server was not reached to ask who undoes it; call again.
    """
    key, target = write.key, write.target
    wait = context.writes.delay(key, target, write.digest, wording=write.wording)
    if not wait:
        return True
    context.services.queue.add(key, after=wait)
    if context.writes.is_undone(key, target, write.digest):
        contest = await context.writes.contested(key, target, wait)
        if contest.new:
            told = Transition("Warning", "StatusContested", contest.message)
            context.events.record(target.resource, observed, told)
    return False


def written(context: Context, write: StatusWrite) -> None:
    """Note that the status was written."""
    context.writes.written(write.key, write.target, write.digest, wording=write.wording)
