"""The operator against the real API server, each figure beside its yardstick of the same run.

The yardstick is a bare client, with 32 requests in flight, that writes the NADs itself and does
nothing else. SPIDERCOORDINATOR_BENCH_OBJECTS sets how many objects the large steps use (5,000).
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import pytest

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import (
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
)
from tests.apiserver.harness import Cluster, Operator, condition, eventually
from tests.bench.load import all_of, watching
from tests.bench.verdict import verdict

MANY = int(os.environ.get("SPIDERCOORDINATOR_BENCH_OBJECTS", "5000"))
BURST = 500
ROUNDS = 3
ONE_BY_ONE = 100
HEALED = 50
PATCHED = 1000
CONFIG = '{"cniVersion":"0.3.1","name":"x","plugins":[' + " " * 500 + "]}"

pytestmark = pytest.mark.timeout(1200)


def told(text: str) -> None:
    """Show a figure at once (`make bench` runs pytest with -s), also when the output is a pipe."""
    print(f"\n{text}", flush=True)  # noqa: T201 - figures are what a benchmark is for


def network(name: str) -> Object:
    meta = {"name": name, "namespace": "default"}
    return {"metadata": meta, "spec": {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}}


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{number:05}" for number in range(count)]


def is_ready(thing: Object) -> bool:
    return condition(thing.get("status") or {}, "Ready").get("status") == "True"


def begins(prefix: str) -> Callable[[Object], bool]:
    """Whether an object's name begins so: others may still be on their way out."""
    return lambda thing: str(thing["metadata"]["name"]).startswith(prefix)


async def make_networks(api: Client, wanted: list[str]) -> tuple[float, float]:
    """Create networks and wait until all are ready; gives the seconds of all, and of creating."""

    async def make(name: str) -> None:
        await api.create(SPIDERMULTUSCONFIGS, network(name), "default")

    async with watching(api, SPIDERMULTUSCONFIGS, is_ready) as seen:
        began = time.perf_counter()
        creating = await all_of(make, wanted)
        return await seen.until(len(wanted)) - began, creating


async def make_nads(api: Client, wanted: list[str]) -> float:
    """The yardstick: create as many NADs and do nothing else; gives the seconds."""

    async def make(name: str) -> None:
        meta = {"name": name, "namespace": "default"}
        body = {"metadata": meta, "spec": {"config": CONFIG}}
        await api.create(NETWORK_ATTACHMENT_DEFINITIONS, body, "default")

    return await all_of(make, wanted)


async def make_all_by_hand(api: Client, wanted: list[str]) -> float:
    """The floor: the three writes a network takes, by the bare client; gives the seconds."""
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "InSync",
        "message": "as long a text as the operator's own would be, more or less",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }

    async def make(name: str) -> None:
        await api.create(SPIDERMULTUSCONFIGS, network(name), "default")
        meta = {"name": name, "namespace": "default"}
        body = {"metadata": meta, "spec": {"config": CONFIG}}
        await api.create(NETWORK_ATTACHMENT_DEFINITIONS, body, "default")
        patch = {"status": {"nad": name, "configHash": "0" * 16, "conditions": [ready]}}
        await api.patch(SPIDERMULTUSCONFIGS, name, "default", patch=patch, subresource="status")

    return await all_of(make, wanted)


async def floor_of(api: Client, operator: Operator) -> float:
    """The median of the floor for a burst, while no operator runs.

    One that only slept would work off what it missed, long after it is awake.
    """
    took = []
    operator.stop()
    for round_ in range(ROUNDS):
        took.append(await make_all_by_hand(api, names(f"floor{round_}", BURST)))
        await remove(api, names(f"floor{round_}", BURST))
    operator.start()
    return statistics.median(took)


async def remove(api: Client, wanted: list[str]) -> None:
    async def delete(name: str) -> None:
        await api.delete(SPIDERMULTUSCONFIGS, name, "default")
        await api.delete(NETWORK_ATTACHMENT_DEFINITIONS, name, "default")

    await all_of(delete, wanted)


async def settled(api: Client, operator: Operator) -> None:
    """Wait until the SpiderCoordinator is served and the operator has nothing to do."""
    await Cluster(api).coordinator({"podCIDRType": "none"})

    async def idle() -> bool:
        synced = (await Cluster(api).status()).get("phase") == "Synced"
        return synced and not operator.metric("spidercoordinator_workqueue_depth")

    await eventually("the operator is idle", idle, seconds=120, every=0.2)


async def test_many_at_once(api: Client, operator: Operator) -> None:
    await settled(api, operator)
    ratios, took, lines, late, cpu = [], [], [], [], []
    for round_ in range(ROUNDS):
        bare = await make_nads(api, names(f"bare{round_}", BURST))
        used, began = operator.cpu(), time.perf_counter()
        async with watching(api, NETWORK_ATTACHMENT_DEFINITIONS, begins("burst")) as nads:
            ours, creating = await make_networks(api, names(f"burst{round_}", BURST))
            late.append((await nads.until(BURST) - began - creating) / creating)
        cpu.append(operator.cpu() - used)
        await remove(api, names(f"bare{round_}", BURST) + names(f"burst{round_}", BURST))
        await settled(api, operator)
        ratios.append(ours / bare)
        took.append(ours)
        lines.append(f"{ours:.2f} s ({BURST / ours:.0f}/s) : {bare:.2f} s")
    floor = await floor_of(api, operator)
    told(
        f"{BURST} networks at once, NAD and status written, to a bare client's NADs alone: "
        f"{'; '.join(lines)}; median ratio {verdict(statistics.median(ratios), 3)}; "
        f"to the same three writes by a bare client (floor, {floor:.2f} s), beyond which is the "
        f"operator's own: {statistics.median(took) / floor:.2f}"
    )
    told(
        f"{BURST} networks at once: last NAD after the last create, as a share of the time the "
        f"client takes to create them: {', '.join(f'{each:.2f}' for each in late)}; median "
        f"{verdict(statistics.median(late), 0.4)}; CPU of the operator, NADs and statuses, in s: "
        f"median {verdict(statistics.median(cpu), 1.3)}"
    )


async def test_one_at_a_time(api: Client, operator: Operator) -> None:
    await settled(api, operator)
    times = []
    async with watching(api, NETWORK_ATTACHMENT_DEFINITIONS, begins("single")) as seen:
        for count, name in enumerate(names("single", ONE_BY_ONE), start=1):
            began = time.perf_counter()
            await api.create(SPIDERMULTUSCONFIGS, network(name), "default")
            times.append((await seen.until(count) - began) * 1000)
    await remove(api, names("single", ONE_BY_ONE))
    told(
        f"one network to its NAD, of {ONE_BY_ONE}, in ms: "
        f"median {verdict(statistics.median(times), 15)}, worst {verdict(max(times), 50)}"
    )


async def test_edits_by_hand_are_healed(api: Client, operator: Operator) -> None:
    await settled(api, operator)
    healed = names("healed", HEALED)
    await make_networks(api, healed)
    times = []
    for name in healed:
        config = (await api.get(NETWORK_ATTACHMENT_DEFINITIONS, name, "default"))["spec"]["config"]

        def whole(thing: Object, wanted: tuple[str, str] = (name, config)) -> bool:
            return (thing["metadata"]["name"], thing["spec"].get("config")) == wanted

        async with watching(api, NETWORK_ATTACHMENT_DEFINITIONS, whole) as seen:
            harm = {"spec": {"config": "{}"}}
            await api.patch(NETWORK_ATTACHMENT_DEFINITIONS, name, "default", patch=harm)
            began = time.perf_counter()
            times.append((await seen.until(1) - began) * 1000)
    await remove(api, healed)
    told(
        f"edit of a NAD by hand to its config restored, of {HEALED}, in ms: "
        f"median {statistics.median(times):.1f}, worst {verdict(max(times), 1000)}"
    )


async def test_coordinator_patch_reaches_every_network(api: Client, operator: Operator) -> None:
    await settled(api, operator)
    bare_names, our_names = names("patched", PATCHED), names("net", PATCHED)
    await make_nads(api, bare_names)
    await make_networks(api, our_names)
    await settled(api, operator)
    ratios, lines = [], []
    for table in (700, 701, 702):

        async def patch(name: str, text: str = f"{CONFIG} {table}") -> None:
            await api.patch(
                NETWORK_ATTACHMENT_DEFINITIONS, name, "default", patch={"spec": {"config": text}}
            )

        bare = await all_of(patch, bare_names)

        def rendered(thing: Object, want: str = f'"hostRuleTable":{table},') -> bool:
            return want in thing["spec"]["config"]

        async with watching(api, NETWORK_ATTACHMENT_DEFINITIONS, rendered) as seen:
            began = time.perf_counter()
            spec = {"spec": {"hostRuleTable": table}}
            await api.patch(SPIDERCOORDINATORS, "default", patch=spec)
            ours = await seen.until(PATCHED) - began
        await settled(api, operator)
        whole = time.perf_counter() - began
        ratios.append(ours / bare)
        lines.append(f"{ours:.2f} s ({whole:.2f} s with statuses) : {bare:.2f} s")
    await remove(api, bare_names + our_names)
    told(
        f"patch of the SpiderCoordinator to {PATCHED} NADs: {'; '.join(lines)}; "
        f"median ratio {verdict(statistics.median(ratios), 2)}"
    )


async def test_growth(api: Client, operator: Operator) -> None:
    await settled(api, operator)
    operator.stop()
    operator.start()
    await settled(api, operator)
    resident, took = {0: operator.resident()}, {}
    for count in (BURST, MANY):
        told(f"... making {count} networks at once")
        took[count], _ = await make_networks(api, names("grow", count))
        resident[count] = operator.resident()
        if count != MANY:
            await remove(api, names("grow", count))
            await settled(api, operator)
    bare = await make_nads(api, names("bare", MANY // 5)) * 5
    told(
        f"{MANY} networks at once: {took[MANY]:.1f} s ({MANY / took[MANY]:.0f}/s) : {bare:.1f} s "
        f"(bare client, {MANY // 5} NADs, times 5); ratio {took[MANY] / bare:.2f}; "
        f"slope {1000 * (took[MANY] - took[BURST]) / (MANY - BURST):.2f} ms a further network, "
        f"{1000 * took[BURST] / BURST:.2f} ms each of the first {BURST}"
    )
    each = (resident[MANY] - resident[BURST]) / (MANY - BURST)
    sizes = ", ".join(f"{size / 1024:.0f} MB with {count}" for count, size in resident.items())
    told(f"resident memory: {sizes}; {each:.1f} KiB a further network (goals 110 MB and 12 KiB)")
    await restarted(api, operator)
    assert each <= 12.0
    assert resident[BURST] <= 110 * 1024


async def restarted(api: Client, operator: Operator) -> None:
    """Tell how long a start takes with all networks there, beside a mere list of them."""
    operator.stop()
    began = time.perf_counter()
    await api.list(SPIDERMULTUSCONFIGS)
    await api.list(NETWORK_ATTACHMENT_DEFINITIONS)
    lists = time.perf_counter() - began
    began = time.perf_counter()
    operator.start()

    async def known() -> bool:
        done = 'spidercoordinator_reconciles_total{kind="SpiderMultusConfig",result="ok"}'
        return operator.metric(done) >= MANY

    await eventually("every network was looked at", known, seconds=300, every=0.1)
    await settled(api, operator)
    told(
        f"start to in sync with {MANY} networks: {time.perf_counter() - began:.1f} s : "
        f"{lists:.1f} s (bare client, both lists)"
    )
