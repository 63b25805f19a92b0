"""Every metric is seen to move by a test, which this one looks for in the registry itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any, Final

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.kube.resource import SPIDERMULTUSCONFIGS
from spidercoordinator.reconcilers.context import network_key
from spidercoordinator.reconcilers.manager import Manager
from spidercoordinator.runtime.settings import Settings
from spidercoordinator.runtime.workqueue import Key
from tests.apiserver import (
    test_contention,
    test_node_reports,
    test_refusals,
    test_resync,
)
from tests.apiserver import test_metrics as live
from tests.apiserver.harness import eventually
from tests.apiserver.webhook import test_reviews, test_serving
from tests.unit.handlers import test_admission
from tests.unit.kube.kubeconfig import write_kubeconfig

PREFIX: Final = "spidercoordinator_"
PYTHON_S_OWN: Final = ("process_", "python_")


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    """One that is assembled and not started."""
    server = TestServer(web.Application())
    await server.start_server()
    path = write_kubeconfig(server, tmp_path)
    made = await Manager.create(Settings(installer_pods="a=b"), {"KUBECONFIG": str(path)})
    yield made
    await made.context.services.queue.shut_down()
    await made.client.client.close()  # type: ignore[no-untyped-call]
    await server.close()


def value(manager: Manager, name: str, **labels: str) -> float | None:
    registry = manager.context.services.metrics.registry
    return registry.get_sample_value(PREFIX + name, labels)


async def becomes(manager: Manager, expected: float, name: str, **labels: str) -> None:
    async def check() -> bool:
        return value(manager, name, **labels) == expected

    await eventually(f"{name} is {expected}", check)


async def test_the_queue_s_metrics_move(manager: Manager) -> None:
    leading = asyncio.create_task(manager._elector.run())
    await manager._elector.started_leading.wait()
    assert value(manager, "leader") == 1
    queue = manager.context.services.queue
    assert value(manager, "workqueue_depth") == 0
    # Of no kind that is reconciled: it fails.
    queue.add(("Unknown", "a"))
    queue.add(network_key(("ns", "gone")))
    assert value(manager, "workqueue_depth") == 2
    queue.start()
    await becomes(manager, 1, "reconciles_total", kind="Unknown", result="failed")
    await becomes(manager, 1, "reconciles_total", kind="SpiderMultusConfig", result="ok")
    assert value(manager, "reconcile_duration_seconds_count", kind="Unknown") == 1
    assert value(manager, "workqueue_retrying") == 1
    assert value(manager, "workqueue_depth") == 0
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)


async def test_what_is_heard_moves(manager: Manager) -> None:
    health = manager.context.services.health
    health.last_event = time.monotonic() - 1000
    assert (value(manager, "last_event_timestamp_seconds") or 0) <= time.time() - 1000
    meta = {"name": "a", "namespace": "ns", "resourceVersion": "1"}
    manager.observe(SPIDERMULTUSCONFIGS, "ADDED", {"metadata": meta})
    assert value(manager, "watch_events_total", kind="SpiderMultusConfig") == 1
    assert value(manager, "networks", ready="Unknown", reason="") == 1
    assert (value(manager, "last_event_timestamp_seconds") or 0) > time.time() - 500


async def test_a_reconciliation_that_runs_long_shows(manager: Manager) -> None:
    began, release = asyncio.Event(), asyncio.Event()

    async def reconcile(_: Key) -> None:
        began.set()
        await release.wait()

    queue = manager.context.services.queue
    queue.reconcile = reconcile
    queue.add(network_key(("ns", "slow")))
    queue.start()
    await began.wait()
    assert (value(manager, "workqueue_longest_running_seconds") or 0) > 0
    release.set()
    await becomes(manager, 0, "workqueue_longest_running_seconds")


async def test_the_version_shows(manager: Manager) -> None:
    labels = {"version": version("spidercoordinator"), "python_version": python_version()}
    assert value(manager, "build_info", **labels) == 1


MOVED_BY: Final[dict[str, Callable[..., Any]]] = {
    "leader": live.test_one_replica_leads,
    "workqueue_depth": test_the_queue_s_metrics_move,
    "workqueue_retrying": test_the_queue_s_metrics_move,
    "networks": live.test_what_is_served_shows,
    "last_event_timestamp_seconds": test_what_is_heard_moves,
    "reconciles": test_the_queue_s_metrics_move,
    "reconcile_duration_seconds": test_the_queue_s_metrics_move,
    "watch_events": test_what_is_heard_moves,
    "resync_repairs": test_resync.test_a_resync_drops_what_vanished,
    "unexpected_errors": test_admission.test_a_bug_in_a_review_allows_with_a_warning,
    "webhook_reviews": test_reviews.test_a_refusal_is_no_error_in_the_log,
    "webhook_up": test_serving.test_a_port_in_use_keeps_nothing_but_the_webhook_from_working,
    "webhook_certificate_expiration_timestamp_seconds": (
        test_serving.test_ready_means_that_the_webhook_answers
    ),
    "nad_changes": (
        test_contention.test_a_fought_over_nad_names_the_rival_and_is_ready_when_it_stops
    ),
    "writes_blocked": test_refusals.test_a_refused_nad_is_told_of_and_tried_again,
    "ready": live.test_what_is_served_shows,
    "networks_in_sync": live.test_what_is_served_shows,
    "source_entries": live.test_what_is_served_shows,
    "source_last_read_timestamp_seconds": live.test_what_is_served_shows,
    "source_readable": live.test_a_source_that_fails_says_so_once_and_when_it_is_back,
    "api_requests": live.test_what_is_served_shows,
    "workqueue_longest_running_seconds": test_a_reconciliation_that_runs_long_shows,
    "webhook_review_duration_seconds": test_admission.test_a_review_is_timed,
    "build": test_the_version_shows,
    "network_nodes_lacking": (
        test_node_reports.test_what_nodes_lack_is_told_and_what_changes_is_known
    ),
    "nodes_silent": test_node_reports.test_nodes_that_tell_nothing_are_named_apart_and_counted,
    "node_report_oldest_timestamp_seconds": (
        test_node_reports.test_nodes_that_tell_nothing_are_named_apart_and_counted
    ),
}
"""The test that sees each metric move."""


async def test_each_metric_has_a_test_that_sees_it_move(manager: Manager) -> None:
    families = {each.name for each in manager.context.services.metrics.registry.collect()}
    ours = {each.removeprefix(PREFIX) for each in families if not each.startswith(PYTHON_S_OWN)}
    assert ours == MOVED_BY.keys()
