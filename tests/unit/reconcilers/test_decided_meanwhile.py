"""What is decided while the API server answers is not what was written: the status tells that."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.objects import Object
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.coordinator.section import NOT_READY_KEY
from spidercoordinator.core.network.ipam import ClusterIPAM
from spidercoordinator.reconcilers.context import Context, Decided, network_key
from spidercoordinator.reconcilers.spidermultusconfig import reconcile
from tests.unit.reconcilers.leading import NETWORK, leading_context, network

ADDRESS = "169.254.100.1"
PLAIN = ClusterConfig("default", SpiderCoordinatorSpec())
LINKED = ClusterConfig("default", SpiderCoordinatorSpec(veth_link_address=ADDRESS))
UNREADY = replace(PLAIN, not_ready="no source tells the pods' CIDRs")
IPAM = ClusterIPAM({"type": "host-local", "ranges": [[{"subnet": "10.6.0.0/16"}]]})
NO_IPAM = ClusterIPAM({})


@dataclass
class ApiServer:
    """Answers the writes of one reconcile, and calls `meanwhile` before it does of the NAD's."""

    meanwhile: Callable[[], None]
    nad: Object
    status: Object

    @property
    def section(self) -> Any:
        """The coordinator section that was written."""
        plugins = json.loads(self.nad["spec"]["config"])["plugins"]
        return next(each for each in plugins if each["type"] == "coordinator")

    def condition(self, kind: str) -> Any:
        """A condition of the network as it was written."""
        return next(each for each in self.status["conditions"] if each["type"] == kind)

    async def apply_nad(self, request: web.Request) -> web.Response:
        self.nad = await request.json()
        self.meanwhile()
        meta = {**self.nad["metadata"], "uid": "2", "resourceVersion": "3"}
        return web.json_response({**self.nad, "metadata": meta})

    async def patch_status(self, request: web.Request) -> web.Response:
        self.status = (await request.json())["status"]
        meta = {"namespace": "ns", "name": "net", "uid": "1", "resourceVersion": "2"}
        return web.json_response({"metadata": meta, "status": self.status})


async def reconciled(tmp_path: Path, before: Decided, after: Decided) -> tuple[ApiServer, Context]:
    """Reconcile a network decided on as `before`; `after` is decided while its NAD is written."""
    context: Context

    def meanwhile() -> None:
        context.decided = after

    api = ApiServer(meanwhile, {}, {})
    application = web.Application()
    application.router.add_patch("/{path:.*}/status", api.patch_status)
    application.router.add_patch("/{path:.*}/network-attachment-definitions/{name}", api.apply_nad)
    application.router.add_post("/{path:.*}/network-attachment-definitions", api.apply_nad)
    async with leading_context(application, tmp_path) as context:
        context.stores.networks.observe({**network(), "status": {}})
        context.decided = before
        await reconcile(network_key(NETWORK), context)
    return api, context


def decided(cluster: ClusterConfig | None, ipam: ClusterIPAM = IPAM) -> Decided:
    return Decided(cluster=cluster, known=True, ipam=ipam, nads_served=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(decided(None), decided(LINKED), id="a-spidercoordinator-comes"),
        pytest.param(decided(UNREADY), decided(LINKED), id="its-ranges-become-known"),
    ],
)
async def test_a_nad_that_stops_pods_is_not_ready(
    tmp_path: Path, before: Decided, after: Decided
) -> None:
    api, context = await reconciled(tmp_path, before, after)
    assert NOT_READY_KEY in api.section
    assert api.condition("Ready")["status"] == "False"
    assert not context.progress.in_sync(NETWORK, LINKED.revision)


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        pytest.param(decided(PLAIN), decided(LINKED), "False", id="set"),
        pytest.param(decided(LINKED), decided(PLAIN), "True", id="unset"),
        pytest.param(decided(LINKED), decided(None), "True", id="gone"),
    ],
)
async def test_the_address_is_told_that_was_written(
    tmp_path: Path, before: Decided, after: Decided, status: str
) -> None:
    api, context = await reconciled(tmp_path, before, after)
    assert ("vethLinkAddress" in api.section) == (status == "True")
    assert api.condition("VethLinkAddress")["status"] == status
    assert api.condition("Ready")["status"] == "True"
    assert before.cluster is not None
    assert context.progress.in_sync(NETWORK, before.cluster.revision)


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        pytest.param(decided(PLAIN, NO_IPAM), decided(PLAIN), "False", id="comes"),
        pytest.param(decided(PLAIN), decided(PLAIN, NO_IPAM), "True", id="goes"),
    ],
)
async def test_the_default_ipam_counts_that_was_written(
    tmp_path: Path, before: Decided, after: Decided, status: str
) -> None:
    api, _ = await reconciled(tmp_path, before, after)
    assert api.condition("Ready")["status"] == status
