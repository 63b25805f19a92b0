"""What sources of CIDRs and detectors of CNI plugins report: the evidence a selection is made from.

Three states are told apart everywhere: something was read and is there, it was read and is absent,
and it could not be read. Only the first two are evidence; a third one is named by `unread`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from spidercoordinator.api.clusterstatus import PodCIDRTypeName

CIDRKind = Literal["pod", "service"]


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one source of CIDRs reports.

    Attributes:
        source: its name, as status shows it.
        type: the podCIDRType its pod CIDRs belong to.
        pod: pod CIDRs, as the source writes them: what is no range is named by the selection.
        service: service CIDRs, likewise.
        kinds: which of the two lists it can report at all.
        missing: why it reports nothing although it was read, for the reason of a NotReady.
        defers_to_cluster: its plugin hands out what the cluster configured, so the cluster's own
            sources are asked.
        warning: what is inconsistent in it, shown as a conflict.
        unread: why it cannot be read now (not allowed to, an error, not read yet), empty when it
            was; its CIDRs are then what it had before, and none is no evidence of absence.
        partial: its CIDRs are those of what exists now, such as today's nodes, and grow with it;
            they never replace a range that a source which knows the whole one gave before.
        supersedes_cluster: its plugin hands out the pods' addresses whatever the cluster's own
            sources say, which are neither used nor compared for pods.
        additional: its pod CIDRs are in use beside those of the other sources.
        uncertain: those of its pod CIDRs of which it cannot be told now whether they are in use:
            they count where they did before, and where nothing was known before.
        holds: its agents are deployed, so that no other source is evidence against what it told
            before, also where it tells nothing now.
        runs: that its own agents have ready pods, for people; empty when that is not known.
        undecided: families of whose pod CIDRs nothing can be told now, since there is nothing yet
            that would show them: what is missing of those was not taken away.
    """

    source: str
    type: PodCIDRTypeName = "cluster"
    pod: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    kinds: tuple[CIDRKind, ...] = ("pod", "service")
    missing: str = ""
    defers_to_cluster: bool = False
    warning: str = ""
    unread: str = ""
    partial: bool = False
    supersedes_cluster: bool = False
    additional: bool = False
    uncertain: tuple[str, ...] = ()
    holds: bool = False
    runs: str = ""
    undecided: tuple[int, ...] = ()

    def cidrs(self, kind: CIDRKind) -> tuple[str, ...]:
        """One of the two lists; empty for one that it cannot report."""
        if kind not in self.kinds:
            return ()
        return self.pod if kind == "pod" else self.service


class Presence(Enum):
    """Whether a CNI plugin gives pods their addresses here."""

    ABSENT = "absent"
    """There is no sign of it."""
    LEFT_OVERS = "left-overs"
    """Its objects are there without agents: no evidence that it still runs."""
    MARKED = "marked"
    """Its objects are in use and every node bears its mark, but its agents are not known."""
    DOUBTFUL = "doubtful"
    """Agents of its name are there without the objects that it makes: no evidence either."""
    UNKNOWN = "unknown"
    """It cannot be told now: something cannot be read, or its agents are starting."""
    RUNNING = "running"
    """Its agents are ready, and the objects that they make are there."""


@dataclass(frozen=True, slots=True)
class DetectedPlugin:
    """A CNI plugin with pools of its own, and whether it runs here.

    Attributes:
        type: the podCIDRType that stands for it.
        presence: whether it runs.
        evidence: what that was concluded from.
        chained: whether it leaves the addresses to another plugin.
        unread: what of it cannot be read now, and why; empty when all was read.
    """

    type: PodCIDRTypeName
    presence: Presence
    evidence: str = ""
    chained: bool = False
    unread: str = ""
