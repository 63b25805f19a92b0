"""Never two leaders: any interleaving of requests, pauses and crashes, on clocks that differ.

Each candidate reads and writes as `elector` does. The server is a Lease with a version. A request
is on its way until the server takes it, and its answer until the candidate does, so that anything
may happen in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from spidercoordinator.runtime.leaderelection.lease import (
    Candidate,
    LeaderElectionConfig,
    LeaseState,
    ObservedRecord,
    leader_election_record,
    lease_state,
    observe,
    released_record,
    renew_deadline_after,
)

REPLICAS: Final = 2
WHICH: Final = st.integers(0, REPLICAS - 1)

CONFIG: Final = LeaderElectionConfig()


@dataclass
class Request:
    """A write on its way, and what the server answered."""

    spec: dict[str, Any]
    version: str
    asked: float
    answer: dict[str, Any] | None = None
    applied: bool = False


@dataclass
class Replica:
    me: Candidate
    offset: float
    rate: float
    observed: ObservedRecord | None = None
    until: float = 0.0
    led: bool = False
    writing: Request | None = None
    reading: list[dict[str, Any] | None] = field(default_factory=list)

    def clock(self, time: float) -> float:
        return self.offset + self.rate * time

    def leads(self, time: float) -> bool:
        return self.led and self.clock(time) < self.until


class OneLeader(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self.lease: dict[str, Any] | None = None
        self.versions = count(1)
        self.runs = count(1)
        self.stray: list[Request] = []
        self.replicas: list[Replica] = []

    @initialize(
        clocks=st.lists(
            # Far apart, and one goes a fifth faster than another.
            st.tuples(st.floats(-1e6, 1e6), st.floats(0.9, 1.1)),
            min_size=REPLICAS,
            max_size=REPLICAS,
        ),
        there=st.booleans(),
    )
    def begin(self, clocks: list[tuple[float, float]], there: bool) -> None:
        self.replicas = [
            Replica(Candidate(f"pod-{number}", f"uid-{number}", self.run()), *clock)
            for number, clock in enumerate(clocks)
        ]
        if there:
            self.store({})

    def run(self) -> str:
        return str(next(self.runs))

    def store(self, spec: dict[str, Any]) -> None:
        self.lease = {"metadata": {"resourceVersion": str(next(self.versions))}, "spec": spec}

    def stamp(self) -> str:
        return f"{self.time:020.6f}"

    def apply(self, request: Request) -> None:
        """What the server does with a write: only on the version it was decided on."""
        version = self.lease["metadata"]["resourceVersion"] if self.lease else ""
        request.applied = True
        if request.version == version:
            merged = {**(self.lease or {}).get("spec", {}), **request.spec}
            self.store({key: value for key, value in merged.items() if value is not None})
            request.answer = self.lease

    @rule(seconds=st.floats(0.0, 6.0))
    def pass_time(self, seconds: float) -> None:
        self.time += seconds

    @rule(seconds=st.floats(9.0, 20.0))
    def pass_long(self, seconds: float) -> None:
        self.time += seconds

    @rule(which=WHICH)
    def one_round(self, which: int) -> None:
        """All goes well, in no time."""
        for step in (self.send_read, self.take_read, self.send_write, self.serve_write):
            step(which)
        self.take_write(which)

    @rule(which=WHICH)
    def send_read(self, which: int) -> None:
        replica = self.replicas[which]
        if not replica.reading:
            replica.reading = [self.lease]

    @rule(which=WHICH)
    def take_read(self, which: int) -> None:
        replica = self.replicas[which]
        if replica.reading:
            now = replica.clock(self.time)
            replica.observed = observe(replica.observed, replica.reading.pop(), now)
            if replica.led and replica.observed.holder_identity not in ("", replica.me.identity):
                self.crash(which, same_pod=False)

    @rule(which=WHICH)
    def send_write(self, which: int) -> None:
        replica = self.replicas[which]
        observed, now = replica.observed, replica.clock(self.time)
        if observed is None or replica.writing or replica.reading:
            return
        if replica.led:
            if now >= replica.until:
                self.crash(which, same_pod=False)
                return
        elif lease_state(observed, replica.me, now, CONFIG) is LeaseState.HELD_BY_OTHER:
            return
        replica.writing = Request(
            leader_election_record(observed, replica.me, self.stamp(), CONFIG),
            observed.resource_version,
            now,
        )

    @rule(which=WHICH)
    def serve_write(self, which: int) -> None:
        request = self.replicas[which].writing
        if request and not request.applied:
            self.apply(request)

    @rule(which=WHICH)
    def take_write(self, which: int) -> None:
        replica = self.replicas[which]
        request = replica.writing
        if request is None or not request.applied:
            return
        replica.writing = None
        if request.answer is not None:
            now = replica.clock(self.time)
            replica.observed = observe(replica.observed, request.answer, now)
            replica.until = renew_deadline_after(request.asked, CONFIG)
            replica.led = replica.led or now < replica.until

    @rule(which=WHICH)
    def give_up_waiting(self, which: int) -> None:
        """The answer is lost, or comes too late; the server may still do what was asked."""
        replica = self.replicas[which]
        if replica.writing and not replica.writing.applied:
            self.stray.append(replica.writing)
        replica.writing = None

    @precondition(lambda self: self.stray)
    @rule(data=st.data())
    def serve_stray(self, data: st.DataObject) -> None:
        self.apply(self.stray.pop(data.draw(st.integers(0, len(self.stray) - 1))))

    @rule(which=WHICH, same_pod=st.booleans())
    def crash(self, which: int, same_pod: bool) -> None:
        old = self.replicas[which]
        if old.writing and not old.writing.applied:
            self.stray.append(old.writing)
        uid = old.me.uid if same_pod else f"{old.me.uid}'"
        me = Candidate(old.me.pod, uid, self.run())
        self.replicas[which] = Replica(me, old.offset, old.rate)

    @rule(which=WHICH)
    def end_cleanly(self, which: int) -> None:
        """What it writes is over first; then it reads and releases what is its own."""
        replica = self.replicas[which]
        lease = self.lease
        identity = replica.me.identity
        self.crash(which, same_pod=False)
        if lease and lease["spec"].get("holderIdentity") == identity:
            self.store({**lease["spec"], **released_record(self.stamp())})

    @invariant()
    def one_leader(self) -> None:
        leaders = [each.me.identity for each in self.replicas if each.leads(self.time)]
        assert len(leaders) <= 1, leaders

    @invariant()
    def clocks_suffice(self) -> None:
        fastest = max((each.rate for each in self.replicas), default=1.0)
        slowest = min((each.rate for each in self.replicas), default=1.0)
        assert CONFIG.renew_deadline / slowest < CONFIG.lease_duration / fastest


OneLeader.TestCase.settings = settings(max_examples=150, stateful_step_count=80, deadline=None)
TestOneLeader = OneLeader.TestCase
