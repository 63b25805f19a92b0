from __future__ import annotations

import json
import logging
import time

import aiohttp
import pytest

from spidercoordinator.runtime.health import Health, Server
from spidercoordinator.runtime.logging import JSONFormatter, TextFormatter
from spidercoordinator.runtime.metrics import Metrics


@pytest.mark.parametrize(
    ("stale_for", "runs_for", "failure"),
    [
        pytest.param(None, 0, "", id="healthy"),
        pytest.param(0, 0, "", id="a watch lags a little"),
        pytest.param(90, 0, "watch of Thing", id="stale watch"),
        pytest.param(None, 20, "", id="slow reconciliation"),
        pytest.param(None, 400, "has been running for 400 s", id="stuck reconciliation"),
    ],
)
def test_liveness_failures(stale_for: float | None, runs_for: float, failure: str) -> None:
    stale = {} if stale_for is None else {"Thing": time.monotonic() - stale_for}
    failures = Health(stale_watches=stale, longest_reconcile=runs_for).liveness_failures()
    assert failure in "\n".join(failures)
    assert bool(failure) == bool(failures)


async def test_the_three_paths() -> None:
    health, metrics = Health(), Metrics()
    metrics.gauge("answer", "The answer.", lambda: 42)
    metrics.reconciled(("Thing", "a"), 0.01, failed=False)
    server = Server(health, metrics)
    await server.start(0)
    base = f"http://127.0.0.1:{server.port}"
    async with aiohttp.ClientSession() as session:
        assert (await session.get(f"{base}/livez")).status == 200
        assert (await session.get(f"{base}/readyz")).status == 503
        health.ready = True
        assert (await session.get(f"{base}/readyz")).status == 200
        health.longest_reconcile = 1000
        assert (await session.get(f"{base}/livez")).status == 500
        text = await (await session.get(f"{base}/metrics")).text()
    await server.stop()
    assert "spidercoordinator_answer 42.0" in text
    assert 'spidercoordinator_reconciles_total{kind="Thing",result="ok"} 1.0' in text
    assert "process_resident_memory_bytes" in text


def test_a_line_is_json_with_what_was_added() -> None:
    record = logging.makeLogRecord(
        {"name": "x", "levelname": "INFO", "msg": "made %s", "args": ("it",), "key": "a/b"}
    )
    line = json.loads(JSONFormatter().format(record))
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "logger": "x", "message": "made it", "key": "a/b"}
    assert TextFormatter().format(record).endswith("INFO    made it key=a/b")
