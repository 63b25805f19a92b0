"""The addresses of nodes, in order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from spidercoordinator.api.scalars import IPAddress, parse_ip

_Entry = tuple[int, str]


@dataclass(frozen=True, slots=True)
class NodeAddresses:
    """See the module.

    Attributes:
        entries: address and node, by 4 or 6 for the family, lowest first.
    """

    entries: Mapping[int, tuple[_Entry, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, nodes: Iterable[tuple[str, Iterable[str]]]) -> Self:
        """Those of nodes, given by name; what is no address is passed over."""
        found: dict[int, set[_Entry]] = {}
        for name, texts in nodes:
            for address in filter(None, map(parse_ip, texts)):
                found.setdefault(address.version, set()).add((int(address), name))
        return cls({version: tuple(sorted(entries)) for version, entries in found.items()})

    def owner(self, address: IPAddress) -> str:
        """The node that has an address, empty for none."""
        entries = self.entries.get(address.version, ())
        at = bisect_left(entries, (int(address), ""))
        return entries[at][1] if at < len(entries) and entries[at][0] == int(address) else ""
