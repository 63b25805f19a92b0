"""Names in a message of bounded length."""

from __future__ import annotations

from collections.abc import Sequence


def abridged(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are: `a, b and 3 more`."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
