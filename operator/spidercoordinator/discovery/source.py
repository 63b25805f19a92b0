"""What a source of CIDRs is: topics it follows, and a pure reading of what they hold.

A source never talks with the API server. It names topics; whoever follows them (handlers/sources)
keeps, for every object, only the small value that `keep` makes of it, and asks for a new finding
when one of those values changes. So thousands of nodes cost a few bytes each, and a heartbeat in a
node's status costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.selection import Finding, Plugin
from spidercoordinator.kube.reflector import Selection


@dataclass(frozen=True)
class Topic:
    """Some objects that tell about CIDRs.

    Attributes:
        title: how messages name them.
        selection: which objects.
        keep: what to remember of one, None when it tells nothing.
    """

    title: str
    selection: Selection
    keep: Callable[[Object], Hashable | None]


@dataclass(slots=True)
class Observed:
    """What is known about one topic now.

    Attributes:
        known: whether it has been listed, or found absent, at least once.
        served: whether the API server has the kind.
        error: why it cannot be read now; what was kept before stays.
        kept: the remembered values by `namespace/name`.
    """

    known: bool = False
    served: bool = False
    error: str = ""
    kept: dict[str, Any] = field(default_factory=dict)

    def lacks(self, topic: Topic) -> str:
        """Why nothing is kept, for people."""
        if self.error:
            return self.error
        if not self.known:
            return f"{topic.title}: not read yet"
        if not self.served:
            return f"the API server has no {topic.selection.resources[0].full_name}"
        return f"there is no {topic.title}"


Board = Mapping[str, Observed]
"""What is known, by title of topic."""


class Detector(Protocol):
    """One CNI plugin that can be recognised."""

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What it is recognised from."""

    def look(self, board: Board) -> Plugin:
        """Say whether it runs here."""


class Source(Protocol):
    """One source of CIDRs."""

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What it follows."""

    def find(self, board: Board) -> Finding:
        """Say what the source knows now."""
