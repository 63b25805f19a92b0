"""JSON to and from the API server, by orjson where it can."""

from __future__ import annotations

import json
from typing import Any

import orjson


def loads(text: bytes) -> Any:
    """The value in a text.

    orjson takes half the time that Python's parser does. What it does not take, such as half a
    surrogate pair or objects nested thousands of levels deep, is left to that one. Neither sees
    whole numbers above 64 bits as such: the API server stores them as floating point.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def dumps(value: Any) -> bytes:
    """The text of a value: by orjson in a tenth of the time, by Python for what that cannot write.

    Raises:
        RecursionError: It is nested too deeply.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value).encode()
