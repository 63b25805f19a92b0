"""What kopf leaves running ends with the operator."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
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


async def test_a_watch_that_takes_its_cancellation_for_a_pause_ends_all_the_same() -> None:
    """As kopf's does in the middle of a request (stream in kopf/_cogs/clients/api.py)."""
    requests = 0

    async def watch() -> None:
        nonlocal requests
        while True:
            requests += 1
            pause = asyncio.create_task(asyncio.Event().wait(), name="pause-waiter for kinds")
            try:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    if not pause.done():
                        raise
                await asyncio.sleep(0.05)
            finally:
                pause.cancel()
                with suppress(asyncio.CancelledError):
                    await pause

    left = asyncio.create_task(watch(), name="watcher for kinds.v1.example.io@none")
    await asyncio.sleep(0)
    pauses = [each for each in asyncio.all_tasks() if each.get_name() == "pause-waiter for kinds"]
    pauses[0].cancel()
    await asyncio.wait(pauses)
    async with asyncio.timeout(10):
        await stop(memo=SimpleNamespace(stack=AsyncExitStack()))
    assert left.cancelled()
    assert requests > 1, "the first cancellation was swallowed"
    assert not [each for each in asyncio.all_tasks() if each.get_name().startswith("pause-waiter")]
