"""What kopf reads of a watch: events that it can take, and an order to list again for the rest.

kopf takes an event of type ERROR, unless its code is 410, for the end of the operator, and so it
does a line that is no JSON, such as the half of one that a proxy leaves when it ends
(https://github.com/nolar/kopf/blob/1.45.2/kopf/_cogs/clients/watching.py, continuous_watch). As in
client-go's reflector, what cannot be understood has the kind listed again, after a back-off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from spidercoordinator.kube.crash import brief
from spidercoordinator.kube.jsontext import loads

_GONE: Final = b'{"type": "ERROR", "object": {"code": 410}}\n'
"""By this kopf lists again."""
_VERY_SHORT: Final = 1.0
"""Seconds; a watch that ended sooner without an event is not opened again at once."""


@dataclass(slots=True)
class WatchStream:
    """Stands in for the content of an answer.

    Attributes:
        content: of the answer.
        failed: is called with why the watch fails, empty for a version that is gone; returns after
            a back-off.
        works: is called when the watch has shown that it works.
    """

    content: aiohttp.StreamReader
    failed: Callable[[str], Awaitable[None]]
    works: Callable[[], None]

    def __getattr__(self, name: str) -> Any:
        """What the answer itself asks of its content."""
        return getattr(self.content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Give the watch line by line; the half of a line at its end is left out."""
        opened, seen = asyncio.get_running_loop().time(), False
        try:
            async for line in self._lines(size):
                why = obstacle(line)
                if why is not None:
                    await self.failed(why)
                    yield _GONE
                    return
                seen = True
                self.works()
                yield line + b"\n"
        except (aiohttp.ClientError, OSError) as error:
            await self._ended(opened, brief(error), seen=seen)
            raise
        await self._ended(opened, "its watch ended at once", seen=seen)

    async def _ended(self, opened: float, why: str, *, seen: bool) -> None:
        if seen or asyncio.get_running_loop().time() - opened >= _VERY_SHORT:
            self.works()
        else:
            await self.failed(why)

    async def _lines(self, size: int) -> AsyncIterator[bytes]:
        rest = b""
        async for chunk in self.content.iter_chunked(size):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line:
                    yield line


class Gone:
    """Stands in for the content of an answer that says 410.

    Attributes:
        content: of the answer.
    """

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self.content = content

    def __getattr__(self, name: str) -> Any:
        """What the answer itself asks of its content."""
        return getattr(self.content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Give the order to list again."""
        del size
        yield _GONE


def obstacle(line: bytes) -> str | None:
    """Why a line is no event that kopf can take; empty where its version is gone, None for none."""
    try:
        event = loads(line.decode().encode())
    except (ValueError, RecursionError) as error:
        return f"its watch gave a line that is no JSON: {brief(error)}"
    given = event.get("object") if isinstance(event, dict) else None
    if not isinstance(given, dict):
        return "its watch gave what is no event"
    if event.get("type") == "ERROR":
        gone = given.get("code") == HTTPStatus.GONE
        return "" if gone else f"its watch gave an error: {given.get('message') or given}"[:300]
    meta = given.get("metadata")
    named = isinstance(meta, dict) and isinstance(meta.get("name"), str)
    if named or (isinstance(meta, dict) and event.get("type") == "BOOKMARK"):
        return None
    return "its watch gave an object without a name"
