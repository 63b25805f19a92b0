"""When networks are rendered anew: not at every flap of what they are rendered from.

Each change of it rewrites the NADs and statuses of thousands of networks. What a user changes, and
what lets pods start again, spreads at once. What comes and goes by itself - CIDRs that are known
and unknown in turns, a reason in other words - does so a few times and then once a minute; until
then pods start with what is in the NADs, which was right a moment before. (Routers damp flapping
routes likewise, RFC 2439.)
"""

from __future__ import annotations

from dataclasses import dataclass

from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.status.contention import History, delay, written


@dataclass(frozen=True, slots=True)
class Damped:
    """What to render from.

    Attributes:
        cluster: that.
        history: of the changes that were let through.
        wait: seconds after which what was proposed may be looked at again, 0 if it is this.
    """

    cluster: ClusterConfig | None
    history: History
    wait: float = 0.0


def damp(
    current: ClusterConfig | None, proposed: ClusterConfig | None, history: History, now: float
) -> Damped:
    """Let a change of the cluster's part of the configuration through, or hold it back.

    Args:
        current: What networks are rendered from.
        proposed: What they would be.
        history: Of the changes before.
        now: The time, in seconds.
    """
    if current == proposed:
        return Damped(proposed, history)
    if current is None or proposed is None or _is_users(current, proposed):
        return Damped(proposed, history)
    mends = bool(current.not_ready) and not proposed.not_ready
    wait = 0.0 if mends else delay(history, "", now, wording=True)
    if wait:
        return Damped(current, history, wait)
    return Damped(proposed, written(history, "", now, wording=True))


def _is_users(current: ClusterConfig, proposed: ClusterConfig) -> bool:
    return (current.name, current.spec) != (proposed.name, proposed.spec)
