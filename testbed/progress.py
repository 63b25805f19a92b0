"""What the testbed tells its user while it works: one line a step, with the time."""

import time


class Progress:
    """Prints steps with the seconds since it was made."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """Print one line."""
        print(f"{self.seconds():6.1f} s  {text}", flush=True)

    def seconds(self) -> float:
        """Return the seconds that have gone by."""
        return time.monotonic() - self._started
