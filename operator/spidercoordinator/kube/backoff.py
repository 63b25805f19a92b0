"""How long to wait before the next try: doubling, capped, and with jitter."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays between tries, in seconds.

    Attributes:
        first: the delay after the first failure.
        cap: the longest delay before jitter.
        jitter: the share of the delay that is random, 0 to 1; operators that start together
            must not come back together.
    """

    first: float = 0.2
    cap: float = 60.0
    jitter: float = 0.5

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row (1 or more)."""
        whole = min(self.cap, self.first * 2.0 ** min(failures - 1, 30))
        return whole * (1 - self.jitter * random.random())  # noqa: S311 - spreads load, keeps no secret

    def __iter__(self) -> Iterator[float]:
        """Delays without end; not sized on purpose, kopf takes an unsized one as endless."""
        failures = 0
        while True:
            failures += 1
            yield self.delay(failures)
