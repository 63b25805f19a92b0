"""How deep objects may be nested.

The API server stores free-form fields up to 10,000 levels deep (sigs.k8s.io/json, maxDepth of
encoding/json), far more than any CNI configuration has and than Python recurses by itself. Objects
are cut where they come in, so that whatever walks through them ends; what was cut is still deeper
than what is allowed, and so is refused as such.
"""

from __future__ import annotations

from typing import Any, Final

DEEPEST: Final = 100
"""Levels of arrays and objects that one value may have."""
TOO_DEEP: Final = f"it is nested more than {DEEPEST} levels deep, at most {DEEPEST} are allowed"

KEPT: Final = 2 * DEEPEST
"""Levels of a whole object that are kept: no value in it that is allowed is touched."""


def is_too_deep(value: Any) -> bool:
    """Whether a JSON value has more than `DEEPEST` levels; without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [item for each in level for item in _items(each)]
        if not level:
            return False
    return any(isinstance(each, dict | list) for each in level)


def cut(value: Any, levels: int = KEPT) -> Any:
    """The value without what lies deeper than so many levels."""
    if isinstance(value, dict):
        return {key: cut(item, levels - 1) for key, item in value.items()} if levels else {}
    if isinstance(value, list):
        return [cut(item, levels - 1) for item in value] if levels else []
    return value


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
