"""The two clocks of leader election."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> float:
    """Seconds of a clock that goes on while the machine sleeps, which that of asyncio does not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def timestamp() -> str:
    """The time of day as a MicroTime."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
