"""The operator, which on SIGUSR1 counts what it holds: `python -m tests.apiserver.counted FILE`.

Every object that the garbage collector knows is counted by its type, and of every container its
entries: texts in a dictionary are known to nobody else.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
from collections import Counter, deque
from pathlib import Path

from spidercoordinator.cli.main import main

_CONTAINERS = (dict, list, set, frozenset, tuple, deque)


def count() -> Counter[str]:
    """What this process holds now."""
    gc.collect()
    found: Counter[str] = Counter()
    for each in gc.get_objects():
        kind = type(each)
        found[f"{kind.__module__}.{kind.__qualname__}"] += 1
        if isinstance(each, _CONTAINERS):
            found[f"entries of {kind.__module__}.{kind.__qualname__}"] += len(each)
    return found


def write(path: Path) -> None:
    """Write the counts where the test looks for them, at once or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(count()))
    draft.rename(path)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: write(Path(sys.argv[1])))
    sys.exit(main(["run"]))
