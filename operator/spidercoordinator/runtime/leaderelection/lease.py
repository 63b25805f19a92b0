"""The rules of leader election: what a Lease says, judged by one's own clock alone.

They are those of client-go's tools/leaderelection: the leader renews the Lease and stops leading
when it could not do so for `renew_deadline`; others acquire it when they have observed no change
for `lease_duration`, counted from when they first observed the record as it is. Times in the Lease
are for people and are never compared: clocks of machines differ. Every write names the resource
version it was decided on, so of two that want the Lease at the same time the API server lets one
have it.

The leader counts from before its request and others from after they observed the result, so the
leader has stopped `lease_duration - renew_deadline` before anybody follows it, whatever the clocks
say. docs/decisions/0008 tells where this differs from client-go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from math import ceil
from typing import Any


@dataclass(frozen=True, slots=True)
class LeaderElectionConfig:
    """Durations in seconds, with client-go's names and the defaults of Kubernetes' components.

    Attributes:
        lease_duration: for which others leave a Lease alone that does not change.
        renew_deadline: after which a leader that could not renew it stops leading.
        retry_period: between two tries to acquire or to renew it.
    """

    lease_duration: float = 15.0
    renew_deadline: float = 10.0
    retry_period: float = 2.0


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
        """The `holderIdentity`; underscores are in no pod's name and in no uid."""
        return "_".join(part for part in (self.pod, self.uid, self.run) if part)

    def is_same_pod(self, holder_identity: str) -> bool:
        """Whether the holder is an earlier run in this very pod.

        The kubelet starts a container anew only after it saw it end, so that run is over.
        """
        return bool(self.uid) and holder_identity.startswith(f"{self.pod}_{self.uid}_")


@dataclass(frozen=True, slots=True)
class ObservedRecord:
    """A Lease as it was observed.

    Attributes:
        spec: its spec; that of before when the Lease is gone.
        resource_version: empty when the Lease does not exist.
        observed_time: the local time at which the spec was first observed like this.
    """

    spec: Mapping[str, Any]
    resource_version: str
    observed_time: float

    @property
    def holder_identity(self) -> str:
        """Who holds it, empty for nobody."""
        return str(self.spec.get("holderIdentity") or "")


class LeaseState(Enum):
    """What a Lease is to a candidate."""

    HELD_BY_SELF = auto()
    """The candidate holds it."""
    UNHELD = auto()
    """Nobody holds it: it was released, is new, or the holder is known to have ended."""
    EXPIRED = auto()
    """Its holder has not renewed it for too long."""
    HELD_BY_OTHER = auto()
    """Somebody else holds it."""


def observe(
    previous: ObservedRecord | None, lease: Mapping[str, Any] | None, now: float
) -> ObservedRecord:
    """The Lease as it is now.

    One that vanished was not released: its holder still counts on it, and creates it anew.

    Args:
        previous: what was observed before.
        lease: the object, None when there is none.
        now: the local time, not before the answer came.
    """
    if lease is None:
        if previous is None:
            return ObservedRecord({}, "", now)
        return ObservedRecord(previous.spec, "", previous.observed_time)
    spec, version = lease.get("spec") or {}, lease["metadata"]["resourceVersion"]
    unchanged = previous is not None and previous.spec == spec
    since = previous.observed_time if previous and unchanged else now
    return ObservedRecord(spec, version, since)


def lease_state(
    observed: ObservedRecord,
    candidate: Candidate,
    now: float,
    config: LeaderElectionConfig,
) -> LeaseState:
    """What the Lease is to a candidate at its local time."""
    holder = observed.holder_identity
    if holder == candidate.identity:
        return LeaseState.HELD_BY_SELF
    if not holder or candidate.is_same_pod(holder):
        return LeaseState.UNHELD
    expired = now >= expires_at(observed, config)
    return LeaseState.EXPIRED if expired else LeaseState.HELD_BY_OTHER


def expires_at(observed: ObservedRecord, config: LeaderElectionConfig) -> float:
    """The local time from which a Lease that does not change may be acquired.

    The longer of what its holder was promised and of what we promise ourselves.
    """
    promised = float(observed.spec.get("leaseDurationSeconds") or 0)
    return observed.observed_time + max(config.lease_duration, promised)


def leader_election_record(
    observed: ObservedRecord,
    candidate: Candidate,
    timestamp: str,
    config: LeaderElectionConfig,
) -> dict[str, Any]:
    """The spec with which a candidate acquires or renews the Lease.

    Args:
        observed: the Lease.
        candidate: who writes it.
        timestamp: the time of day as a MicroTime.
        config: how long it holds.
    """
    renewal = observed.holder_identity == candidate.identity
    transitions = int(observed.spec.get("leaseTransitions") or 0)
    had_holder = bool(observed.spec.get("acquireTime"))
    return {
        "holderIdentity": candidate.identity,
        "leaseDurationSeconds": ceil(config.lease_duration),
        "acquireTime": observed.spec.get("acquireTime", timestamp) if renewal else timestamp,
        "renewTime": timestamp,
        "leaseTransitions": transitions + (had_holder and not renewal),
    }


def is_granted(record: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    """Whether the answer to a write is the Lease with what was written, not one of before."""
    spec = answer.get("spec") or {}
    return all(spec.get(key) == record[key] for key in ("holderIdentity", "renewTime"))


def released_record(timestamp: str) -> dict[str, Any]:
    """What changes in the spec when the holder releases the Lease; None removes a field."""
    return {
        "holderIdentity": None,
        "leaseDurationSeconds": 1,
        "acquireTime": timestamp,
        "renewTime": timestamp,
    }


def renew_deadline_after(requested_at: float, config: LeaderElectionConfig) -> float:
    """Until when the holder leads, by the local time at which it sent what was then granted."""
    return requested_at + config.renew_deadline
