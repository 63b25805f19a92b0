"""The resync, against a store that no watch fills: nothing but it can put the store right."""

from __future__ import annotations

import asyncio

import pytest

from spidercoordinator.api.objects import Name
from spidercoordinator.kube.resource import SPIDERMULTUSCONFIGS, Object
from spidercoordinator.kube.store import Store
from spidercoordinator.reconcilers.caches import Resync, wait_for_cache_sync
from spidercoordinator.runtime.health import Health
from spidercoordinator.runtime.metrics import Metrics
from tests.apiserver.harness import Cluster


@pytest.fixture
async def resync(cluster: Cluster) -> Resync:
    stores = {SPIDERMULTUSCONFIGS: Store()}
    return Resync(cluster.api, stores, Health(), Metrics(), 600.0, events_arrive_within=0.05)


def repairs(resync: Resync) -> float:
    value = resync.metrics.registry.get_sample_value(
        "spidercoordinator_resync_repairs_total", {"kind": "SpiderMultusConfig"}
    )
    return value or 0.0


async def filled(
    cluster: Cluster, resync: Resync
) -> tuple[Store, list[tuple[Name, Object | None]]]:
    """A store that knows two networks, and what its event handler is called with from now on."""
    store = resync.stores[SPIDERMULTUSCONFIGS]
    for name in ("one", "two"):
        store.observe(await cluster.network(name))
    await wait_for_cache_sync(cluster.api, SPIDERMULTUSCONFIGS, store)
    calls: list[tuple[Name, Object | None]] = []
    store.add_event_handler(lambda name, _, after: calls.append((name, after)))
    return store, calls


async def test_a_resync_of_a_true_store_does_nothing(cluster: Cluster, resync: Resync) -> None:
    _, calls = await filled(cluster, resync)
    await resync.resync(SPIDERMULTUSCONFIGS)
    assert calls == []
    assert repairs(resync) == 0
    assert resync.health.stale_watches == {}


async def test_a_resync_drops_what_vanished(cluster: Cluster, resync: Resync) -> None:
    store, calls = await filled(cluster, resync)
    await cluster.api.delete(SPIDERMULTUSCONFIGS, "one", "default")
    await resync.resync(SPIDERMULTUSCONFIGS)
    assert set(store) == {("default", "two")}
    assert calls == [(("default", "one"), None)]
    assert repairs(resync) == 1
    assert set(resync.health.stale_watches) == {"SpiderMultusConfig"}


async def test_a_resync_leaves_to_the_watch_what_is_on_its_way(
    cluster: Cluster, resync: Resync
) -> None:
    store, _ = await filled(cluster, resync)
    resync.events_arrive_within = 5.0
    name = ("default", "one")
    gone = await cluster.api.get(SPIDERMULTUSCONFIGS, "one", "default")
    await cluster.api.delete(SPIDERMULTUSCONFIGS, "one", "default")
    made = await cluster.network("three")
    running = asyncio.create_task(resync.resync(SPIDERMULTUSCONFIGS))
    await asyncio.sleep(0)
    version = made["metadata"]["resourceVersion"]
    store.observe_deletion({"metadata": gone["metadata"] | {"resourceVersion": version}})
    store.observe(made)
    await running
    assert name not in store
    assert repairs(resync) == 0
    assert resync.health.stale_watches == {}


async def test_a_resync_reads_what_a_dead_watch_did_not_tell(
    cluster: Cluster, resync: Resync
) -> None:
    store, calls = await filled(cluster, resync)
    await cluster.network("three")
    patch = {"spec": {"macvlan": {"master": ["eth1"]}}}
    await cluster.api.patch(SPIDERMULTUSCONFIGS, "one", "default", patch=patch)
    await resync.resync(SPIDERMULTUSCONFIGS)
    assert store["default", "one"]["spec"]["macvlan"]["master"] == ["eth1"]
    assert ("default", "three") in store
    assert sorted(name for name, _ in calls) == [("default", "one"), ("default", "three")]
    assert repairs(resync) == 2
    assert set(resync.health.stale_watches) == {"SpiderMultusConfig"}


async def test_a_resync_takes_an_older_version_after_a_restore(
    cluster: Cluster, resync: Resync
) -> None:
    store, _ = await filled(cluster, resync)
    ahead = await cluster.api.get(SPIDERMULTUSCONFIGS, "one", "default")
    version = ahead["metadata"]["resourceVersion"]
    store.put({**ahead, "metadata": ahead["metadata"] | {"resourceVersion": str(10**15)}})
    await resync.resync(SPIDERMULTUSCONFIGS)
    assert store.version(("default", "one")) == version
