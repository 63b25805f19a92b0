"""Who leads: what a Lease says, judged by one's own clock alone.

The rules are those of client-go's leaderelection: a holder renews the Lease and stops leading when
it could not do so for `renew_deadline`; others take it when they have seen no change for
`duration`, counted from when they first saw the record as it is. Times in the Lease are for people
and are never compared: clocks of machines differ. Every write names the version it was decided on,
so of two that want the Lease at the same time the API server lets one have it.

A holder counts from before its request and others from after they saw the result, so the holder
has stopped `duration - renew_deadline` before anybody follows it, whatever the clocks say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Terms:
    """How long what holds, in seconds.

    Attributes:
        duration: for which others leave a Lease alone that does not change.
        renew_deadline: after which a holder that could not renew it stops leading.
        retry_period: between two tries to have or to renew it.
    """

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry_period: float = 2.0


TERMS: Final = Terms()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One run of the operator.

    Attributes:
        pod: the name of its pod.
        uid: the pod's uid, empty when there is no pod.
        run: what no other run has.
    """

    pod: str
    uid: str
    run: str

    @property
    def identity(self) -> str:
        """How the Lease names it; underscores are in no pod's name and in no uid."""
        return "_".join(part for part in (self.pod, self.uid, self.run) if part)

    def follows(self, holder: str) -> bool:
        """Whether the holder was an earlier run in this very pod.

        The kubelet starts a container anew only after it saw it end, so that run is over.
        """
        return bool(self.uid) and holder.startswith(f"{self.pod}_{self.uid}_")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A Lease as it was seen.

    Attributes:
        spec: its spec; that of before when the Lease is gone.
        version: its resource version, empty when it is not there.
        since: the local time at which the spec was first seen like this.
    """

    spec: Mapping[str, Any]
    version: str
    since: float

    @property
    def holder(self) -> str:
        """Who holds it, empty for nobody."""
        return str(self.spec.get("holderIdentity") or "")


class Standing(Enum):
    """What a Lease is to a candidate."""

    MINE = auto()
    """The candidate holds it."""
    FREE = auto()
    """Nobody holds it: it was given back, is new, or the holder is known to have ended."""
    EXPIRED = auto()
    """Its holder has not renewed it for too long."""
    HELD = auto()
    """Somebody else holds it."""


def see(before: Sighting | None, lease: Mapping[str, Any] | None, now: float) -> Sighting:
    """Take in the Lease as it is now.

    One that vanished was not given back: its holder still counts on it, and makes it anew.

    Args:
        before: the last sighting.
        lease: the object, None when there is none.
        now: the local time, not before the answer came.
    """
    if lease is None:
        return Sighting(before.spec, "", before.since) if before else Sighting({}, "", now)
    spec, version = lease.get("spec") or {}, lease["metadata"]["resourceVersion"]
    same = before is not None and before.spec == spec
    return Sighting(spec, version, before.since if before and same else now)


def judge(seen: Sighting, me: Candidate, now: float, terms: Terms = TERMS) -> Standing:
    """What the Lease is to a candidate at its local time."""
    if seen.holder == me.identity:
        return Standing.MINE
    if not seen.holder or me.follows(seen.holder):
        return Standing.FREE
    return Standing.EXPIRED if now >= expiry(seen, terms) else Standing.HELD


def expiry(seen: Sighting, terms: Terms = TERMS) -> float:
    """The local time from which a Lease that does not change may be taken.

    The longer of what its holder was promised and of what we promise ourselves.
    """
    return seen.since + max(terms.duration, float(seen.spec.get("leaseDurationSeconds") or 0))


def claimed(seen: Sighting, me: Candidate, stamp: str, terms: Terms = TERMS) -> dict[str, Any]:
    """The spec with which a candidate takes or renews the Lease.

    Args:
        seen: the Lease.
        me: the candidate.
        stamp: the time of day as a MicroTime.
        terms: how long it holds.
    """
    renewal = seen.holder == me.identity
    transitions = int(seen.spec.get("leaseTransitions") or 0)
    had_holder = bool(seen.spec.get("acquireTime"))
    return {
        "holderIdentity": me.identity,
        "leaseDurationSeconds": int(terms.duration),
        "acquireTime": seen.spec.get("acquireTime", stamp) if renewal else stamp,
        "renewTime": stamp,
        "leaseTransitions": transitions + (had_holder and not renewal),
    }


def released(stamp: str) -> dict[str, Any]:
    """What changes in the spec when the holder gives the Lease back; None removes a field."""
    return {
        "holderIdentity": None,
        "leaseDurationSeconds": 1,
        "acquireTime": stamp,
        "renewTime": stamp,
    }


def leads_until(asked: float, terms: Terms = TERMS) -> float:
    """Until when the holder leads, by the local time at which it sent what was then granted."""
    return asked + terms.renew_deadline
