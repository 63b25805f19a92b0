"""Durations as Go and Kubernetes write them: `500ms`, `15s`, `1m30s` (time.ParseDuration)."""

from __future__ import annotations

import re
from typing import Final

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")


def parse_duration(text: str) -> float:
    """The seconds of a duration.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(f"({_PART.pattern})+", text):
        raise ValueError("no duration")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
