"""Room for objects that are nested as deep as the API server stores them.

It takes a free-form field up to 10,000 levels deep, and the managed fields that describe it have
as many. Python's JSON decoder recurses, and with Python's default of 1,000 levels one such object
would keep the whole kind from being read, by this project as by kopf.
"""

from __future__ import annotations

import resource
import sys
from typing import Final

_LEVELS: Final = 30_000
"""What is stored, wrapped in a list or an admission review, and walked through by generators."""
_STACK: Final = 64 << 20
"""Bytes of stack that so many levels of C code need at the most; only what is used takes memory."""


def allow_deep_objects() -> None:
    """Raise the limits of this process; a hard limit of the stack that is lower stays."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if soft != resource.RLIM_INFINITY and soft < _STACK:
        room = _STACK if hard == resource.RLIM_INFINITY else min(_STACK, hard)
        resource.setrlimit(resource.RLIMIT_STACK, (max(soft, room), hard))
        soft = max(soft, room)
    if soft == resource.RLIM_INFINITY or soft >= _STACK:
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _LEVELS))
