"""Limits of writes that others undo, and of writes that say the same again and again.

A write of what was written before is needed only because somebody undid it. The first few are made
at once: people edit what they should not, and see it put back. One who undoes each of them at once
is another controller, and nobody wins: from then on one write a minute is made, and the status says
whose field manager that is, until a minute has passed in which nothing was undone.

A token bucket like client-go's flowcontrol has, as a pure function: state and clock are passed in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from json import dumps
from typing import Any, Final

from spidercoordinator.api.objects import Object

BURST: Final = 5
"""Writes of the same content that are made at once."""
EVERY: Final = 60.0
"""Seconds after which there may be one more."""
_REMEMBERED: Final = 4
"""Contents that are known again: two that alternate are as much of a storm as one that returns."""


Path = tuple[str, ...]
"""Names of the fields from the object down to one of its fields."""


@dataclass(frozen=True, slots=True)
class History:
    """What was written under one key.

    Attributes:
        digests: of the last contents, the newest last.
        tokens: writes of known contents that may be made at once.
        at: when the tokens were counted, in seconds by the clock that is passed in.
        contested: whether they have run out, and the end of that has not been seen yet.
    """

    digests: tuple[str, ...] = ()
    tokens: float = BURST
    at: float = 0.0
    contested: bool = False

    def tokens_at(self, now: float) -> float:
        """The tokens there are by now."""
        return min(BURST, self.tokens + max(0.0, now - self.at) / EVERY)


def delay(history: History, digest: str, now: float, *, wording: bool = False) -> float:
    """Seconds to wait before a write; 0 when it may be made now.

    Args:
        history: What was written before.
        digest: Stands for the content to write.
        now: The time, in seconds.
        wording: Whether only texts for people differ from what is there.
    """
    if digest not in history.digests and not wording:
        return 0.0
    return max(0.0, 1.0 - history.tokens_at(now)) * EVERY


def written(history: History, digest: str, now: float, *, wording: bool = False) -> History:
    """The history after a write was made."""
    known = digest in history.digests or wording
    digests = tuple(each for each in history.digests if each != digest)
    return replace(
        history,
        digests=(*digests, digest)[-_REMEMBERED:],
        tokens=max(0.0, history.tokens_at(now) - known),
        at=now,
    )


def calm_after(history: History, now: float) -> float:
    """Seconds until writes are no longer contested if none is undone; 0 when they are not now."""
    if not history.contested:
        return 0.0
    return max(0.0, 1.0 - history.tokens_at(now)) * EVERY


def rivals(managed_fields: Iterable[Object], ours: str, fields: Iterable[Path]) -> str:
    """Who else writes an object, for people: those that hold one of some fields, or wrote it last.

    Who removes a field holds none, and is then the one who wrote last.

    Args:
        managed_fields: metadata.managedFields of the object.
        ours: our own field manager.
        fields: what is fought over.
    """
    others = [entry for entry in managed_fields if entry.get("manager") != ours]
    holding = [entry for entry in others if any(_holds(entry, path) for path in fields)]
    last = max(others, key=lambda entry: str(entry.get("time", "")), default=None)
    named = holding or ([last] if last else [])
    names = sorted({str(entry.get("manager")) for entry in named})
    if names:
        return f"field manager {', '.join(names[:3])}"
    return f"somebody unknown (who removes or deletes it, or is field manager {ours} as well)"


def _holds(entry: Object, path: Path) -> bool:
    held: Any = entry.get("fieldsV1")
    for step in path:
        held = held.get(f"f:{step}") if isinstance(held, dict) else None
    return held is not None


def digest_of(status: Object, *volatile: str) -> str:
    """Stands for a status without times and texts for people, and without some of its fields."""
    content = {key: value for key, value in status.items() if key not in {"conditions", *volatile}}
    keys = ("type", "status", "reason")
    conditions = [[each.get(key) for key in keys] for each in status.get("conditions") or ()]
    return sha256(dumps([content, conditions], sort_keys=True).encode()).hexdigest()[:16]
