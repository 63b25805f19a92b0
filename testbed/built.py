"""Programs that were built elsewhere, for machines on which a build would take too long.

`TESTBED_BUILT` names their folder: the guests of `make kernels` emulate their processor, and have
no Go. The names in it are those of the programs; the plugin for tests is `faulty/coordinator`.
"""

import os
from pathlib import Path

VARIABLE = "TESTBED_BUILT"
"""The environment variable with the folder; unset, everything is built here."""


def folder() -> Path | None:
    """Return the folder of programs that were built elsewhere, None to build them here."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None
