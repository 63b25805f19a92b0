"""Parts of other projects' objects, whatever their shape.

What an API server stores of a foreign kind is what its CRD lets through, and what is in a ConfigMap
is text that somebody wrote: a part that is absent and one of another type are both no evidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from spidercoordinator.api.objects import Object, mapping
from spidercoordinator.api.yamltext import parse
from spidercoordinator.errors import OddObjectError


def section(obj: Object, *path: str) -> Object:
    """The mapping at this path, empty when there is none."""
    value: Any = obj
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return mapping(value)


def items(obj: Object, *path: str) -> list[Any]:
    """The list at this path, empty when there is none."""
    *parents, key = path
    value = section(obj, *parents).get(key)
    return value if isinstance(value, list) else []


def text(obj: Object, *path: str) -> str:
    """The text at this path, empty when there is none."""
    *parents, key = path
    value = section(obj, *parents).get(key)
    return value if isinstance(value, str) else ""


def needed_text(obj: Object, *path: str) -> str:
    """The text at this path, which objects of this kind always have.

    Raises:
        OddObjectError: there is none.
    """
    if found := text(obj, *path).strip():
        return found
    raise OddObjectError(f"it has no {'.'.join(path)}")


def mappings(obj: Object, *path: str) -> Iterator[Object]:
    """The mappings in the list at this path."""
    return (each for each in items(obj, *path) if isinstance(each, dict))


def split(value: object) -> tuple[str, ...]:
    """CIDRs written as `v4,v6`, or as a list of such texts; none in anything else."""
    entries = value if isinstance(value, list) else [value]
    texts = (entry for entry in entries if isinstance(entry, str))
    return tuple(part.strip() for entry in texts for part in entry.split(",") if part.strip())


def parse_yaml(content: str) -> Object:
    """The mapping that a YAML text is.

    Raises:
        ValueError: it is no YAML, or no mapping; the text says which.
    """
    try:
        parsed = parse(content)
    except ValueError as error:
        raise ValueError(f"is no YAML: {error}") from error
    return _mapping(parsed, "YAML")


def parse_json(content: str) -> Object:
    """The mapping that a JSON text is.

    Raises:
        ValueError: it is no JSON, or no mapping; the text says which.
    """
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        first = str(error).partition("\n")[0]
        raise ValueError(f"is no JSON: {first}") from error
    return _mapping(parsed, "JSON")


def _mapping(parsed: object, language: str) -> Object:
    if not isinstance(parsed, dict):
        raise ValueError(f"is {language}, but no mapping")  # noqa: TRY004 - the text is wrong, not a type
    return parsed
