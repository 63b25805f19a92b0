"""A bug that one network meets is told in its status, and tried again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.reconcilers.context import network_key
from spidercoordinator.reconcilers.spidermultusconfig import reconcile
from tests.unit.reconcilers.leading import NETWORK, leading_context, network


async def test_the_status_tells_of_it_and_keeps_the_nad(tmp_path: Path) -> None:
    patches: list[Any] = []

    async def patched(request: web.Request) -> web.Response:
        patches.append(await request.json())
        meta = {"namespace": "ns", "name": "net", "uid": "1", "resourceVersion": "2"}
        return web.json_response({"metadata": meta, **patches[-1]})

    application = web.Application()
    application.router.add_patch("/{path:.*}/status", patched)
    async with leading_context(application, tmp_path) as context:
        context.stores.networks.observe(network())
        context.decided.nads_served = True
        # What no source gives: rendering it fails.
        context.decided.cluster = ClusterConfig(name="default", spec=object())  # type: ignore[arg-type]
        with pytest.raises(AttributeError):
            await reconcile(network_key(NETWORK), context)
    (status,) = (each["status"] for each in patches)
    ready = next(each for each in status["conditions"] if each["type"] == "Ready")
    assert ready["status"] == "False"
    assert ready["reason"] == "ReconcileFailed"
    assert "AttributeError" in ready["message"]
