"""Several replicas: one leads, the others wait and take over."""

from __future__ import annotations

import asyncio

from spidercoordinator.kube.resource import (
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
)
from testbed.apiserver import ApiServer
from tests.apiserver.harness import Cluster, Operator, condition, eventually
from tests.apiserver.replicas import (
    LEASE,
    Start,
    ended,
    leading,
    rendered,
    spec,
    versions,
)


async def test_one_leads_and_the_other_is_ready(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    _, second = pair
    await cluster.network("net")
    await rendered(cluster, "first", ["net"])
    for replica in pair:
        assert replica.get("/livez")[0] == 200
        assert replica.get("/readyz") == (200, "ok")
    assert second.metric("spidercoordinator_leader") == 0
    assert second.metric("spidercoordinator_workqueue_depth") == 0
    assert "spidercoordinator_reconciles_total{" not in second.get("/metrics")[1]
    now = await spec(cluster)
    assert now["holderIdentity"].startswith("first_uid-of-first_")
    assert (now["leaseDurationSeconds"], now["leaseTransitions"]) == (15, 0)
    assert f"waiting, Lease default/{LEASE} is held by first_" in second.text()

    async def renewed() -> bool:
        later = await spec(cluster)
        return bool(later["renewTime"] > now["renewTime"])

    await eventually("the Lease is renewed", renewed)
    assert (await spec(cluster))["acquireTime"] == now["acquireTime"]


async def test_of_rivals_that_come_at_once_one_wins(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    assert all(replica.running() for replica in pair)
    names = [f"wanted-{number}" for number in range(20)]

    async def want(network: str, name: str) -> None:
        meta = {
            "name": network,
            "namespace": "default",
            "annotations": {"multus.spidernet.io/cr-name": name},
        }
        body = {"metadata": meta, "spec": {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}}
        await cluster.api.create(SPIDERMULTUSCONFIGS, body, "default")

    await asyncio.gather(*(want(f"{side}-{name}", name) for name in names for side in "abc"))

    async def settled() -> dict[str, list[str]] | None:
        things, _ = await cluster.api.list(SPIDERMULTUSCONFIGS)
        found: dict[str, list[str]] = {"True": [], "NameConflict": []}
        for each in things:
            verdict = condition(each.get("status") or {}, "Ready")
            known = verdict.get("status") if verdict.get("status") == "True" else "NameConflict"
            if not verdict or (known == "NameConflict" and verdict["reason"] != "NameConflict"):
                return None
            found[str(known)].append(each["metadata"]["annotations"]["multus.spidernet.io/cr-name"])
        return found if len(found["NameConflict"]) == 2 * len(names) else None

    found = await eventually("every rival has its verdict", settled)
    assert sorted(found["True"]) == sorted(names)
    things, _ = await cluster.api.list(NETWORK_ATTACHMENT_DEFINITIONS)
    # None ever changed hands.
    assert {each["metadata"]["name"]: each["metadata"]["generation"] for each in things} == (
        dict.fromkeys(names, 1)
    )


async def test_a_leader_that_is_told_to_end_hands_over(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    first, second = pair
    names = [f"net-{number}" for number in range(10)]
    for name in names:
        await cluster.network(name)
    await rendered(cluster, "first", names)
    before = await spec(cluster)
    assert first.stop() == 0
    assert f"Lease default/{LEASE} released" in first.text()
    # That this does not wait for the Lease to expire is in tests/unit/leaderelection.
    await leading(second)
    await rendered(cluster, "second", names)
    after = await spec(cluster)
    assert after["leaseTransitions"] == before["leaseTransitions"] + 1
    assert after["acquireTime"] > before["acquireTime"]
    await cluster.api.delete(SPIDERMULTUSCONFIGS, names[0], "default")
    await cluster.api.delete(NETWORK_ATTACHMENT_DEFINITIONS, names[0], "default")
    await cluster.coordinator({"hostRuleTable": 700})
    await rendered(cluster, "second", names[1:], 700)


async def test_what_vanishes_before_the_takeover_is_gone_after_it(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    first, second = pair
    await cluster.network("net")
    await rendered(cluster, "first", ["net"])
    first.kill()
    await cluster.api.patch(SPIDERCOORDINATORS, "default", patch={"metadata": {"finalizers": None}})
    await cluster.api.delete(SPIDERCOORDINATORS, "default")
    await leading(second)

    async def told() -> bool:
        thing = await cluster.api.get(SPIDERMULTUSCONFIGS, "net", "default")
        return condition(thing["status"], "Ready").get("reason") == "CoordinatorNotReady"

    await eventually("the network says what it misses", told)


async def test_a_leader_that_is_frozen_writes_nothing_when_it_wakes(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    first, second = pair
    names = [f"net-{number}" for number in range(60)]
    await asyncio.gather(*map(cluster.network, names))
    await rendered(cluster, "first", names)
    # It has nothing to do when it freezes: no request is past the fence. It has when it wakes.
    first.pause()
    await cluster.coordinator({"hostRuleTable": 701})
    await leading(second)
    await rendered(cluster, "second", names, 701)
    before = await versions(cluster)
    first.resume()
    assert_stopped_leading(await ended(first))
    after = await versions(cluster)
    assert {uid for uid in after if after[uid] != before[uid]} == set()
    assert second.running()


async def test_what_a_frozen_leader_had_begun_is_put_right(
    cluster: Cluster, pair: tuple[Operator, Operator]
) -> None:
    first, second = pair
    names = [f"net-{number}" for number in range(60)]
    await asyncio.gather(*map(cluster.network, names))
    await rendered(cluster, "first", names)
    # A request that is past the fence when its process freezes cannot be called back.
    await cluster.coordinator({"hostRuleTable": 700})
    first.pause()
    await cluster.coordinator({"hostRuleTable": 701})
    await leading(second)
    first.resume()
    assert_stopped_leading(await ended(first))
    await rendered(cluster, "second", names, 701)


def assert_stopped_leading(log: str) -> None:
    assert f"spidercoordinator: stopped leading, Lease default/{LEASE} " in log
    assert "this process ends" in log


async def test_a_leader_without_the_api_server_ends(
    cluster: Cluster, start: Start, server: ApiServer
) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    only = start("only")
    await leading(only)
    server.stop_apiserver()
    try:
        log = await ended(only)
    finally:
        server.start_apiserver()
    assert "not renewed for 10 s" in log
    # The kubelet starts the container again: the pod is the same, nobody has to be waited for.
    only.start()
    await leading(only)


async def test_a_container_that_was_killed_starts_without_waiting(
    cluster: Cluster, start: Start
) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    only = start("only")
    await leading(only)
    only.kill()
    only.start()
    await leading(only)
    assert "waiting, Lease" not in only.text()
    assert (await spec(cluster))["leaseTransitions"] == 1
