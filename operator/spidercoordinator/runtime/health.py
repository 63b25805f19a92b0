"""/livez, /readyz and /metrics.

Alive means: reconciliations end and the watches deliver what happens. A watch that is silently
dead looks healthy from outside, so a periodic list is compared with what the watches delivered;
`stale_watches` tells which missed something. An API server that is down does not fail the liveness
probe: a restart would not help.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from spidercoordinator.runtime.metrics import CONTENT_TYPE, Metrics

_STUCK_AFTER: Final = 300.0
"""Seconds one reconciliation may run; requests time out after 30, so this is a bug."""
_STALE_AFTER: Final = 60.0
"""Seconds a watch may lag behind a list before it counts as dead."""


@dataclass(slots=True)
class Health:
    """How the operator is.

    Attributes:
        ready: whether everything was read once, and this process leads or may take over at once.
        not_ready_reason: why it is not ready, while it is not.
        webhook_failure: why the webhook does not answer, empty while it does, or is off.
        last_event: monotonic time of the last watch event or list.
        stale_watches: since when (monotonic) a watch has not delivered what a list showed, by kind.
        longest_reconcile: seconds of the longest running reconciliation.
    """

    ready: bool = False
    not_ready_reason: str = "the cluster's CIDRs have not been looked for yet"
    webhook_failure: str = ""
    last_event: float = field(default_factory=time.monotonic)
    stale_watches: dict[str, float] = field(default_factory=dict)
    longest_reconcile: float = 0.0

    def record_event(self, kind: str = "") -> None:
        """Note a watch event or a list; one of a kind shows that its watch works."""
        self.last_event = time.monotonic()
        self.stale_watches.pop(kind, None)

    @property
    def last_event_at(self) -> float:
        """When the last watch event or list came, in seconds since 1970."""
        return time.time() - self.seconds_since_last_event()

    def mark_stale(self, kind: str) -> None:
        """Note that the watch of a kind has not delivered what a list showed."""
        self.stale_watches.setdefault(kind, time.monotonic())

    def seconds_since_last_event(self) -> float:
        """Seconds since the last watch event or list."""
        return time.monotonic() - self.last_event

    def readiness_failures(self) -> list[str]:
        """Why no request should be sent here, and no other pod ended for this one; empty if none.

        The reconcilers do not wait for it.
        """
        failures = [] if self.ready else [self.not_ready_reason]
        return failures + ([self.webhook_failure] if self.webhook_failure else [])

    def liveness_failures(self) -> list[str]:
        """Why the operator should be restarted; empty when it should not."""
        now = time.monotonic()
        failures = [
            f"the watch of {kind} has missed a change for {now - since:.0f} s"
            for kind, since in self.stale_watches.items()
            if now - since > _STALE_AFTER
        ]
        if self.longest_reconcile > _STUCK_AFTER:
            failures.append(
                f"one reconciliation has been running for {self.longest_reconcile:.0f} s"
            )
        return failures


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
        app.router.add_get("/metrics", self._metrics_page)
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
        failures = self._health.liveness_failures()
        return web.Response(text="\n".join(failures or ["ok"]), status=500 if failures else 200)

    async def _readyz(self, _: web.Request) -> web.Response:
        failures = self._health.readiness_failures()
        return web.Response(text="\n".join(failures or ["ok"]), status=503 if failures else 200)

    async def _metrics_page(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.render(), headers={"Content-Type": CONTENT_TYPE})
