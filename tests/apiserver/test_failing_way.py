"""Leaders, and those that wait, on a way to the API server that fails: one leads, and says why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from spidercoordinator.kube.resource import LEASES, NETWORK_ATTACHMENT_DEFINITIONS
from testbed.apiserver import ApiServer
from tests.apiserver.faults import Answer, Way, refuses
from tests.apiserver.harness import Cluster, Operator, eventually
from tests.apiserver.replicas import LEASE, Start, ended, leading, ready, rendered, spec

TIMES = (
    "--leader-elect-lease-duration=6s",
    "--leader-elect-renew-deadline=4s",
    "--leader-elect-retry-period=1s",
)
PATH = LEASES.path("default", LEASE)


async def cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response(status=504)


def gives(body: object, status: int = 200) -> Answer:
    return refuses(status, text=json.dumps(body))


OTHERS = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "others", "namespace": "default", "resourceVersion": "1"},
    "spec": {"holderIdentity": "others"},
}
STALE = OTHERS | {"metadata": {"name": LEASE, "namespace": "default", "resourceVersion": "1"}}
FAULTS: dict[str, tuple[Answer, str]] = {
    "503": (refuses(503, text="<html>no upstream</html>"), "503: <html>no upstream</html>"),
    "cut": (cut, "cannot talk to the API server"),
    "silent": (hang, "no answer from the API server within 2 s"),
    "a page": (refuses(200, text="<html></html>"), "the answer is no JSON"),
    "an object of its own": (gives({"status": "ok"}), 'is no Lease test-lease: {"status": "ok"}'),
    "a Status": (gives({"kind": "Status", "metadata": {}}), "is no Lease"),
    "another Lease": (gives(OTHERS), "is no Lease"),
    "an old Lease": (gives(STALE), "a change was answered with another one"),
    "a conflict each time": (gives({"kind": "Status", "code": 409}, 409), "409"),
    "a page for what is not there": (refuses(404, text="<html></html>"), "404: <html></html>"),
}


@pytest.fixture
def way(server: ApiServer, tmp_path: Path) -> Iterator[Way]:
    with Way(server, tmp_path).open() as way:
        yield way


def of_the_lease(answer: Answer, *methods: str) -> Callable[[web.Request], Answer | None]:
    def fault(request: web.Request) -> Answer | None:
        concerned = request.path.startswith(PATH.rpartition("/")[0])
        return answer if concerned and (not methods or request.method in methods) else None

    return fault


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_leader_whose_requests_fail_stops_and_another_follows(
    cluster: Cluster, start: Start, way: Way, kind: str
) -> None:
    answer, why = FAULTS[kind]
    await cluster.coordinator({"podCIDRType": "none"})
    await cluster.network("net")
    first = start("first", way.kubeconfig, *TIMES)
    await leading(first)
    second: Operator = start("second", None, *TIMES)
    await ready(second)
    await rendered(cluster, "first", ["net"])
    methods = ("PATCH", "POST") if kind == "a conflict each time" else ()
    with way.failing(of_the_lease(answer, *methods)):
        log = await ended(first)
        [last] = [each for each in log.splitlines() if "stopped leading" in each]
        assert why in last
        written = len(way.asked)
        await leading(second)
        await rendered(cluster, "second", ["net"])
    assert len(way.asked) == written
    assert (await spec(cluster))["leaseTransitions"] == 1


async def test_a_leader_whose_every_other_request_fails_stays(
    cluster: Cluster, start: Start, way: Way
) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    first = start("first", way.kubeconfig, *TIMES)
    await leading(first)
    # One that is silent takes half of these short times.
    faults = [answer for kind, (answer, _) in FAULTS.items() if kind != "silent"]
    asked = 0

    def fault(request: web.Request) -> Answer | None:
        nonlocal asked
        if request.path != PATH or "watch" in request.query:
            return None
        asked += 1
        return faults[asked // 2 % len(faults)] if asked % 2 else None

    with way.failing(fault):

        async def renewed() -> bool:
            assert first.running(), first.text()
            return asked > 2 * len(faults)

        await eventually("many of its requests failed", renewed)
    assert (await spec(cluster))["leaseTransitions"] == 0


async def test_one_that_waits_bears_all_of_it_and_takes_over(
    cluster: Cluster, start: Start, way: Way
) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    first = start("first", None, *TIMES)
    await leading(first)
    second = start("second", way.kubeconfig, *TIMES)
    await ready(second)
    for kind, (answer, _) in FAULTS.items():
        asked = len(way.asked)
        with way.failing(of_the_lease(answer)):

            async def tried(asked: int = asked) -> bool:
                mine = [each for each in way.asked[asked:] if each.startswith(f"GET {PATH}")]
                return len(mine) > 1

            await eventually("it looked at the Lease again", tried)
        assert second.running(), (kind, second.text())
        assert second.metric("spidercoordinator_leader") == 0
    assert "Traceback" not in second.text()
    first.kill()
    await leading(second)


NADS = NETWORK_ATTACHMENT_DEFINITIONS
NO_LIST = f"is no list of {NADS.full_name}"
ANSWERS: dict[str, tuple[Answer, str]] = {
    "an object of its own": (gives({"status": "ok"}), NO_LIST),
    "an empty object": (gives({}), NO_LIST),
    "a Status": (gives({"kind": "Status", "status": "Success", "metadata": {}}), NO_LIST),
    "one object": (gives(OTHERS), NO_LIST),
    "a page for what is not there": (refuses(404, text="<html></html>"), "404: <html></html>"),
}


@pytest.mark.parametrize("kind", ANSWERS)
async def test_what_is_no_list_is_no_empty_list(
    cluster: Cluster, way: Way, tmp_path: Path, kind: str
) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    await cluster.network("net")
    operator = Operator(way.kubeconfig, tmp_path / "log")
    operator.start()
    try:
        assert await eventually("it is rendered", lambda: cluster.section("net"))
        answer, why = ANSWERS[kind]
        began = len(operator.text())

        def fault(request: web.Request) -> Answer | None:
            if request.method != "GET" or not request.path.endswith(f"/{NADS.plural}"):
                return None
            return refuses(410) if "watch" in request.query else answer

        with way.failing(fault):

            async def told() -> bool:
                return why in operator.text()[began:]

            await eventually("the log says so", told)
            await cluster.network("other")
            assert "NADCRDMissing" not in operator.text()
            assert operator.get("/metrics")[1]
            assert await cluster.section("net")
        assert await eventually("the other is rendered", lambda: cluster.section("other"))
    finally:
        operator.stop()
