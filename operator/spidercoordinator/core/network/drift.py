"""What an edit of a NAD lost when the NAD was brought back to what is desired."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.network.maker import annotations_of, controller_uid
from spidercoordinator.core.network.render import json_text

_MOST: Final = 6
"""Differences named; an Event has room for 1024 characters."""
_LONGEST: Final = 48
"""Characters of a value that are shown."""
_LONGEST_TEXT: Final = 700
"""Characters in all; names of fields and annotations may be long, too."""


def lost_edits(body: Object, nad: Object) -> str:
    """Name what differed, each with the value that was lost and the one that is there again.

    It is bounded text, for an Event.

    Args:
        body: What was applied.
        nad: The NAD before.
    """
    try:
        found = list(islice(_differences(body, nad), _MOST + 1))
    except RecursionError:
        return "spec.config (it was nested too deeply to compare)"
    more = ", and more" if len(found) > _MOST else ""
    return _cut(", ".join(found[:_MOST]), _LONGEST_TEXT) + more


def _differences(body: Object, nad: Object) -> Iterator[str]:
    config, found = body["spec"]["config"], (nad.get("spec") or {}).get("config")
    if config != found:
        yield from _config_differences(config, found)
    annotations = annotations_of(nad)
    for key, value in body["metadata"]["annotations"].items():
        if annotations.get(key) != value:
            yield f"annotation {key} {_was(annotations.get(key))} {_is(value)}"
    references = body["metadata"].get("ownerReferences")
    if references and controller_uid(nad) != references[0]["uid"]:
        yield f"owner reference to SpiderMultusConfig {references[0]['name']} (was not there)"


def _config_differences(desired: str, found: Any) -> Iterator[str]:
    """The paths inside the configuration, or the whole where it is none or says the same."""
    try:
        before, after = json_text.plain(found), json_text.plain(desired)
    except (TypeError, ValueError):
        before = after = None
    told = False
    if isinstance(before, dict):
        for path in _paths("spec.config", before, after):
            told = True
            yield path
    if not told:
        # It says the same in other words, or null where nothing was.
        yield f"spec.config {_was(found)}"


def _paths(path: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*after, *(key for key in before if key not in after)]:
            yield from _paths(f"{path}.{key}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from _paths(f"{path}[{index}]", *pair)
    elif before != after:
        yield f"{path} {_was(before)} {_is(after)}"


def _was(value: Any) -> str:
    return f"(was {_shown(value)})"


def _is(value: Any) -> str:
    return f"is {_shown(value)} again"


def _shown(value: Any) -> str:
    if value is None:
        return "not there"
    return _cut(value if isinstance(value, str) else json.dumps(value), _LONGEST)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "…"
