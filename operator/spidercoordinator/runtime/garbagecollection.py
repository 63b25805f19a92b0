"""How often Python looks for cycles of garbage.

Nearly all that this process allocates are parsed objects of the API server: trees, which are freed
by their reference counts. Python's collector starts every 700 allocations and, with stores of
thousands of objects, goes through all of them again and again while a list is parsed; that took as
long as the parsing. https://docs.python.org/3/library/gc.html#gc.set_threshold
"""

from __future__ import annotations

import gc
from typing import Final

_ALLOCATIONS: Final = 50_000
"""Containers more than were freed, some megabytes: the objects of a page of a list."""
_AT_START: Final = 10 * _ALLOCATIONS
"""The same while thousands of objects come at once, nearly all of which stay."""


def collect_hardly() -> None:
    """Hardly look for cycles while the stores are filled, and never among what imports made."""
    gc.freeze()
    gc.set_threshold(_AT_START, *gc.get_threshold()[1:])


def collect_seldom() -> None:
    """Look for cycles after many allocations only."""
    gc.set_threshold(_ALLOCATIONS, *gc.get_threshold()[1:])
