"""The operator, which on SIGUSR1 counts what it holds: `python -m tests.apiserver.counted FILE`.

Every object that the garbage collector knows is counted by its type, and of every container that
can grow its length is told: texts in a dictionary are known to nobody else. Caches with a bound are
emptied before, as they fill up to it.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
from asyncio import TimerHandle
from collections import Counter, deque
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from spidercoordinator.cli.main import main

CACHE = type(lru_cache(lambda: None))
_CAN_GROW = (dict, list, set, deque)


def count() -> dict[str, dict[str, int]]:
    """What this process holds now: objects by type, and lengths of containers by their identity."""
    # The operator has frozen what its imports made, caches among it.
    gc.unfreeze()
    for each in gc.get_objects():
        if isinstance(each, CACHE) and each.cache_info().maxsize is not None:
            each.cache_clear()
    gc.collect()
    types: Counter[str] = Counter()
    lengths: dict[str, int] = {}
    for each in gc.get_objects():
        kind = f"{type(each).__module__}.{type(each).__qualname__}"
        types[kind] += 1
        if isinstance(each, _CAN_GROW) and not _holds_timers(each):
            lengths[f"{kind} at {id(each)}"] = len(each)
    return {"types": types, "lengths": lengths}


def _holds_timers(container: Collection[object]) -> bool:
    """Whether it is an event loop's list: that keeps up to a hundred cancelled timers."""
    return isinstance(container, list) and container != [] and isinstance(container[0], TimerHandle)


def write(path: Path) -> None:
    """Write the counts where the test looks for them, at once or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(count()))
    draft.rename(path)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: write(Path(sys.argv[1])))
    sys.exit(main(["run"]))
