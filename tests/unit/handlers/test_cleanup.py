"""What kopf leaves running ends with the operator."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from spidercoordinator.handlers import lifecycle

# kopf gives it more than it takes.
stop: Any = lifecycle.stop


@pytest.mark.parametrize("name", ["watcher for kinds.v1.example.io@none", "pause-waiter for kinds"])
async def test_tasks_that_kopf_leaves_behind_end_before_the_session_is_closed(name: str) -> None:
    left = asyncio.create_task(asyncio.Event().wait(), name=name)
    other = asyncio.create_task(asyncio.Event().wait(), name="somebody else's")
    ended = []

    async with AsyncExitStack() as stack:
        stack.callback(lambda: ended.append(left.cancelled()))
        await stop(memo=SimpleNamespace(stack=stack))
    assert ended == [True]
    assert not other.done()
    other.cancel()
