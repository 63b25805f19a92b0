"""What the stores keep of each object: its content, without bulk, and with texts shared.

Most of the memory of a store is what nobody reads, and texts that all of its objects have.
"""

from __future__ import annotations

from sys import intern
from typing import Any, Final

from spidercoordinator.api.nesting import KEPT
from spidercoordinator.api.objects import Object

_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_COMMON: Final = 1000
"""Texts to remember at most: what a hundred objects have."""
_LONGEST: Final = 256
"""Characters of a text to remember; a user's text may have a million."""


class _Texts:
    """Texts that objects have in common, as the last objects had them."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def shared(self, text: str) -> str:
        """The same text, as an object before had it."""
        if len(text) > _LONGEST:
            return text
        if len(self._known) >= _COMMON:
            self._known.clear()
        return self._known.setdefault(text, text)


_texts: Final = _Texts()


def trim(given: Object) -> Object:
    """An object without what is only bulk to us, and without what is absurdly deep.

    Each parsed object brings the names of its fields anew, and texts that thousands have: here they
    are the same strings in all.
    """
    meta = {key: value for key, value in given["metadata"].items() if key != "managedFields"}
    annotations = meta.get("annotations")
    if annotations and _LAST_APPLIED in annotations:
        kept = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        meta["annotations"] = kept
    trimmed: Object = _sharing_texts({**given, "metadata": meta}, KEPT)
    return trimmed


def _sharing_texts(value: Any, levels: int) -> Any:
    """What `nesting.cut` gives, in the same walk."""
    if isinstance(value, str):
        return _texts.shared(value)
    below = levels - 1
    if isinstance(value, dict):
        pairs = value.items() if levels else ()
        return {intern(key): _sharing_texts(item, below) for key, item in pairs}
    if isinstance(value, list):
        return [_sharing_texts(item, below) for item in value] if levels else []
    return value
