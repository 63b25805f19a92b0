"""The handlers of the webhook: what is said to whom, and what is done about a bug in a review."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import kopf
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.handlers.admission import (
    refusals_are_no_errors,
    reviewed,
    validate_network,
)
from spidercoordinator.reconcilers.manager import Manager
from spidercoordinator.runtime.settings import Settings
from tests.unit.kube.kubeconfig import write_kubeconfig

MACVLAN = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}
BAD = {"cniType": "custom", "customCNI": "{"}


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    """One that is assembled and not started: reviews need only its stores."""
    server = TestServer(web.Application())
    await server.start_server()
    path = write_kubeconfig(server, tmp_path)
    made = await Manager.create(Settings(), {"KUBECONFIG": str(path)})
    yield made
    await made.client.client.close()  # type: ignore[no-untyped-call]
    await server.close()


def network(name: str = "a", spec: Any = None, **meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ns", **meta}, "spec": spec or MACVLAN}


async def ask(manager: Manager, body: Any, operation: str = "CREATE", **request: Any) -> list[str]:
    """Let a network be reviewed as kopf does; gives the warnings."""
    warnings: list[str] = []
    memo, user = kopf.Memo(manager=manager), {"username": "jane"}
    handler: Any = validate_network
    await handler(
        memo=memo, warnings=warnings, body=body, operation=operation, userinfo=user, **request
    )
    return warnings


def reviews(manager: Manager, result: str, kind: str = "SpiderMultusConfig") -> float:
    registry = manager.context.services.metrics.registry
    labels = {"kind": kind, "result": result}
    return registry.get_sample_value("spidercoordinator_webhook_reviews_total", labels) or 0.0


async def test_a_refusal_is_information_with_the_object_s_name(
    manager: Manager, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(kopf.AdmissionError, match=r"spec\.customCNI"):
        await ask(manager, network(spec=BAD))
    [record] = caplog.records
    assert record.levelno == logging.INFO
    assert "SpiderMultusConfig ns/a" in record.getMessage()
    shown = vars(record)
    assert (shown["object"], shown["user"]) == ("SpiderMultusConfig ns/a", "jane")
    assert reviews(manager, "refused") == 1


def test_kopf_does_not_log_a_refusal_as_an_error() -> None:
    shown: list[bool] = []

    def log_while_handling(error: Exception) -> None:
        try:
            raise error  # noqa: TRY301 - and caught, as kopf does
        except Exception:  # noqa: BLE001 - kopf catches all
            shown.append(refusals_are_no_errors(logging.makeLogRecord({})))

    log_while_handling(kopf.AdmissionError("refused"))
    log_while_handling(kopf.PermanentError("failed"))
    shown.append(refusals_are_no_errors(logging.makeLogRecord({})))
    assert shown == [False, True, True]


@pytest.mark.parametrize(
    "request_",
    [
        {"operation": "DELETE"},
        {"operation": "CONNECT"},
        {"operation": "UPDATE", "subresource": "status"},
        {"operation": "UPDATE", "old": network(spec=BAD, labels={"a": "b"})},
    ],
)
async def test_what_makes_nothing_worse_passes(manager: Manager, request_: dict[str, Any]) -> None:
    assert await ask(manager, network(spec=BAD), **request_) == []


async def test_an_update_and_a_dry_run_are_reviewed_as_a_creation_is(manager: Manager) -> None:
    for request in ({"operation": "UPDATE", "old": network()}, {"dryrun": True}):
        with pytest.raises(kopf.AdmissionError):
            await ask(manager, network(spec=BAD), **request)


async def test_a_bug_in_a_review_allows_with_a_warning(
    manager: Manager, caplog: pytest.LogCaptureFixture
) -> None:
    # A rival without what the API server gives each object: something that nobody expected.
    annotations = {"multus.spidernet.io/cr-name": "a"}
    rival = network("b", annotations=annotations, resourceVersion="1")
    manager.context.stores.networks.observe(rival)
    for _ in range(3):
        [warning] = await ask(manager, network())
        assert "KeyError" in warning
        assert len(warning) <= 256
    assert reviews(manager, "failed") == 3
    errors = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "SpiderMultusConfig ns/a" in errors[0].getMessage()


async def test_a_review_is_timed(manager: Manager) -> None:
    await ask(manager, network())
    registry = manager.context.services.metrics.registry
    name = "spidercoordinator_webhook_review_duration_seconds_count"
    assert registry.get_sample_value(name, {"kind": "SpiderMultusConfig"}) == 1


async def test_what_kopf_stumbles_over_is_allowed_with_a_warning(manager: Manager) -> None:
    async def answer(review: Any, **_: Any) -> Any:
        raise RecursionError(f"of {len(review)} parts")

    request = {
        "uid": "1",
        "kind": {"kind": "SpiderMultusConfig"},
        "name": "a",
        "namespace": "ns",
    }
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    given = await reviewed(manager, answer, review, webhook="x")
    assert given["response"]["uid"] == "1"
    assert given["response"]["allowed"] is True
    assert "RecursionError" in given["response"]["warnings"][0]
    assert reviews(manager, "failed") == 1


@pytest.mark.parametrize(
    "review",
    [
        {"request": {"kind": {"kind": "Pod"}}},
        {"request": {"kind": "SpiderMultusConfig"}},
        {"request": {"kind": {"kind": ["SpiderMultusConfig"]}}},
        {"request": []},
        {"request": None},
        {},
        [],
        None,
    ],
)
async def test_what_is_no_review_of_our_kinds_leaves_no_trace(
    manager: Manager, caplog: pytest.LogCaptureFixture, review: Any
) -> None:
    async def answer(_: Any) -> Any:
        raise kopf.PermanentError("unknown")

    before = manager.context.services.metrics.render()
    with pytest.raises(kopf.PermanentError):
        await reviewed(manager, answer, review)
    families = [line for line in before.splitlines() if b"reviews" in line or b"unexpected" in line]
    after = manager.context.services.metrics.render().splitlines()
    assert families == [line for line in after if b"reviews" in line or b"unexpected" in line]
    assert caplog.records == []


@pytest.mark.parametrize("body", [{}, {"metadata": None}, {"metadata": {}}, {"metadata": []}])
async def test_an_object_without_a_name_is_allowed(manager: Manager, body: Any) -> None:
    [warning] = await ask(manager, body)
    assert "not checked" in warning


async def test_a_review_is_passed_on_to_kopf(manager: Manager) -> None:
    async def answer(review: Any, **details: Any) -> Any:
        return review, details

    assert await reviewed(manager, answer, {"a": 1}, webhook="x") == ({"a": 1}, {"webhook": "x"})
