from __future__ import annotations

import json
import logging
import time

import aiohttp
import pytest

from spidercoordinator.runtime.health import Health, Server
from spidercoordinator.runtime.logging import JSONFormatter, StateLogger, TextFormatter
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
        health.webhook_failure = "the webhook does not listen yet"
        answer = await session.get(f"{base}/readyz")
        assert (answer.status, await answer.text()) == (503, health.webhook_failure)
        health.webhook_failure = ""
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


def test_what_a_user_wrote_makes_no_line_of_its_own() -> None:
    text = "no\n2026-01-01T00:00:00Z ERROR   forged"
    record = logging.makeLogRecord({"levelname": "INFO", "msg": text, "object": "a\r\nb"})
    assert len(TextFormatter().format(record).splitlines()) == 1
    assert len(JSONFormatter().format(record).splitlines()) == 1


@pytest.mark.parametrize(
    ("namespace", "shown"), [("ns", "Thing ns/a"), (None, "Thing a")], ids=["in one", "without"]
)
def test_kopf_s_lines_carry_the_object_like_ours(namespace: str | None, shown: str) -> None:
    reference = {"kind": "Thing", "name": "a", "namespace": namespace, "uid": "1"}
    record = logging.makeLogRecord({"msg": "x", "k8s_ref": reference, "k8s_skip": False})
    line = json.loads(JSONFormatter().format(record))
    assert line["object"] == shown
    assert "k8s_skip" not in line
    assert f" object={shown}" in TextFormatter().format(record)


def test_a_state_is_logged_when_it_changes_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    state = StateLogger(logging.getLogger("state"))
    state.over("fine")
    for text in ("a", "a", "b", "a"):
        state.log(logging.WARNING, text, object="x")
    state.over("fine")
    state.over("fine")
    state.log(logging.WARNING, "a")
    assert [each.getMessage() for each in caplog.records] == ["a", "b", "a", "fine", "a"]
    assert vars(caplog.records[0])["object"] == "x"
