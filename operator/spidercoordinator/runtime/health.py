"""/livez, /readyz and /metrics.

Alive means: work moves and the watches hear what happens. A watch that is silently dead looks
healthy from outside, so a periodic list is compared with what the watches said; `deaf` tells what
they missed. An API server that is down does not make the operator unwell: a restart would not help.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from spidercoordinator.runtime.metrics import CONTENT_TYPE, Metrics

_STUCK_AFTER: Final = 300.0
"""Seconds one piece of work may run; requests time out after 30, so this is a bug."""
_DEAF_AFTER: Final = 60.0
"""Seconds a watch may lag behind a list before it counts as dead."""


@dataclass(slots=True)
class Health:
    """How the operator is.

    Attributes:
        ready: whether everything was read once, and this process works or may take over at once.
        waits_for: why it is not ready, while it is not.
        heard: monotonic time of the last event or list.
        deaf: since when (monotonic) a watch has not told what a list showed, by kind.
        oldest: seconds of the longest running work.
    """

    ready: bool = False
    waits_for: str = "the cluster's CIDRs have not been looked for yet"
    heard: float = field(default_factory=time.monotonic)
    deaf: dict[str, float] = field(default_factory=dict)
    oldest: float = 0.0

    def hear(self) -> None:
        """Note an event or a list."""
        self.heard = time.monotonic()

    def age(self) -> float:
        """Seconds since the last event or list."""
        return time.monotonic() - self.heard

    def complaints(self) -> list[str]:
        """Why the operator should be restarted; empty when it should not."""
        now = time.monotonic()
        found = [
            f"the watch of {kind} has missed a change for {now - since:.0f} s"
            for kind, since in self.deaf.items()
            if now - since > _DEAF_AFTER
        ]
        if self.oldest > _STUCK_AFTER:
            found.append(f"one piece of work has been running for {self.oldest:.0f} s")
        return found


class Server:
    """The HTTP server of a process."""

    def __init__(self, health: Health, metrics: Metrics) -> None:
        self._health, self._metrics = health, metrics
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, port: int) -> None:
        """Listen on all addresses; port 0 takes a free one of loopback, which `port` then tells."""
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._render)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        # Port 0 would be another one for each address family; only tests and shells ask for it.
        host = None if port else "127.0.0.1"
        await web.TCPSite(self._runner, host, port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def _livez(self, _: web.Request) -> web.Response:
        complaints = self._health.complaints()
        return web.Response(text="\n".join(complaints or ["ok"]), status=500 if complaints else 200)

    async def _readyz(self, _: web.Request) -> web.Response:
        text = "ok" if self._health.ready else self._health.waits_for
        return web.Response(text=text, status=200 if self._health.ready else 503)

    async def _render(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.render(), headers={"Content-Type": CONTENT_TYPE})
