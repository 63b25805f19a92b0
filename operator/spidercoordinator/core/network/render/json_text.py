"""JSON text that is the same byte for byte whenever its content is, with numbers kept as written.

The standard decoder turns 1e2 or 10000000000000000001.5 into floats; a user's number must reach the
plugin as the user wrote it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from spidercoordinator.api.nesting import TOO_DEEP, is_too_deep

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Number:
    """A number by its text."""

    text: str


def loads(text: str) -> Any:
    """Parse JSON; numbers become `Number`, objects keep their order.

    Raises:
        ValueError: It is no JSON, or means something else to others: nested too deeply, a key that
            is there twice, half of a surrogate pair; the message says which.
    """
    try:
        value = json.loads(
            text,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_distinct,
        )
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error
    if is_too_deep(value):
        raise ValueError(TOO_DEEP)
    try:
        dumps(value).encode()
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])[1:-1]
        raise ValueError(f"{half} is half of a surrogate pair, which is no character") from error
    return value


def plain(text: str) -> Any:
    """Parse JSON whose numbers are to be judged, not written: they become Python's own.

    An integer of more digits than Python converts (4,300) becomes an infinite float.

    Raises:
        ValueError: As `loads` does.
    """
    loads(text)
    return json.loads(text, parse_int=_judged)


def _judged(digits: str) -> int | float:
    return int(digits) if len(digits) < sys.int_info.default_max_str_digits else float(digits)


def dumps(value: Any) -> str:
    """Compact JSON: no blanks, keys in the order of the object."""
    try:
        return _ENCODER.encode(value)
    except TypeError:
        # There is a Number inside; only then is it done by hand, which is ten times slower.
        return _by_hand(value)


def _by_hand(value: Any) -> str:
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        pairs = (f"{_ENCODER.encode(key)}:{dumps(item)}" for key, item in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dumps, value)) + "]"
    return _ENCODER.encode(value)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are distinct: of two values nobody can tell which one counts."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:64]!r} is there twice")
    return made


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
