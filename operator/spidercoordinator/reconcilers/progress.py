"""Which networks are in sync with the decided configuration of the cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from spidercoordinator.api.objects import Name


@dataclass(slots=True)
class Progress:
    """For each network the `ClusterConfig.revision` it was last rendered from.

    After a start nothing is known of any network until each has been reconciled once; a count of
    them before would be of half of them.
    """

    _revisions: dict[Name, str] = field(default_factory=dict)
    _unknown: set[Name] | None = None

    def begin(self, networks: Iterable[Name]) -> None:
        """Expect that each of these networks is reconciled for the first time."""
        self._unknown = set(networks)

    @property
    def complete(self) -> bool:
        """Whether every network of the start has been reconciled once, or is gone."""
        return self._unknown is not None and not self._unknown

    def record(self, name: Name, revision: str | None) -> bool:
        """Note what a network was rendered from, None for nothing; whether the count may differ."""
        ended = self.reconciled(name)
        if self._revisions.get(name) == revision:
            return ended
        if revision is None:
            del self._revisions[name]
        else:
            self._revisions[name] = revision
        return True

    def reconciled(self, name: Name) -> bool:
        """Note that a network was reconciled or is gone; whether it was the last one awaited."""
        if not self._unknown or name not in self._unknown:
            return False
        self._unknown.discard(name)
        return not self._unknown

    def in_sync(self, name: Name, revision: str) -> bool:
        """Whether a network was last rendered from this revision."""
        return self._revisions.get(name) == revision
