"""What the metrics say of the objects from which CIDRs are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from spidercoordinator.discovery.source import Observation, WatchedObjects


@dataclass(frozen=True, slots=True)
class Reading:
    """How the objects of one selection were read.

    Attributes:
        resource: their kind, as `kubectl` takes it.
        namespace: empty for all.
        selector: of labels or fields, empty for all.
        readable: whether they can be read now; a kind that is not served can: there are none.
        entries: how many of them tell something.
        last_read: when they were last read, in seconds since 1970; 0 for never.
    """

    resource: str
    namespace: str
    selector: str
    readable: bool
    entries: int
    last_read: float


def readings(
    watched: Iterable[WatchedObjects], observations: Mapping[str, Observation]
) -> list[Reading]:
    """How each selection was read; what is watched for two ends is one reading.

    Args:
        watched: What is watched.
        observations: What is known of it, by title.
    """
    found: dict[tuple[str, str, str], Reading] = {}
    for each in watched:
        selection, observed = each.selection, observations[each.title]
        key = (
            selection.resources[0].full_name,
            selection.namespace,
            ",".join(filter(None, (selection.labels, selection.fields))),
        )
        reading = Reading(*key, observed.readable, observed.count, observed.last_read)
        found[key] = _together(found[key], reading) if key in found else reading
    return list(found.values())


def _together(one: Reading, other: Reading) -> Reading:
    return Reading(
        one.resource,
        one.namespace,
        one.selector,
        one.readable and other.readable,
        one.entries + other.entries,
        min(one.last_read, other.last_read),
    )
