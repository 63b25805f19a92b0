"""The watches of our own kinds, which are kopf's, on a way that fails: none ends the operator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiohttp import web

from testbed.apiserver import ApiServer
from tests.apiserver.faults import Answer, Way, error, lists, refuses, says, watches
from tests.apiserver.harness import Cluster, Operator, eventually

OURS = "spidermultusconfigs"
SAID = f"{OURS}.spiderpool.spidernet.io cannot be read, what is known stays in use: "
OVER = f"{OURS}.spiderpool.spidernet.io can be read again"


async def half_a_line(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"type":"ADDED","object":{"meta')
    return response


async def no_http(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"garbage\r\n\r\n")
    request.transport.close()
    return web.Response()


WATCHED: dict[str, tuple[Answer, str]] = {
    "500 in it": (error(500, "etcd leader changed"), "etcd leader changed"),
    "403 in it": (error(403), "an error"),
    "429 in it": (error(429), "an error"),
    "no code in it": (says({"type": "ERROR", "object": {}}), "an error"),
    "no JSON": (says("<html></html>"), "no JSON"),
    "half a line": (half_a_line, "ended at once"),
    "nothing": (says(), "ended at once"),
    "no event": (says("{}"), "no event"),
    "400": (refuses(400, text="Bad Request"), "400"),
    "401": (refuses(401), "401"),
    "403": (refuses(403), "403"),
    "404": (refuses(404), "404"),
    "410": (refuses(410), "old"),
    "422": (refuses(422), "422"),
    "429 until": (refuses(429, {"Retry-After": "Fri, 27 Nov 2026 20:00:00 GMT"}), "429"),
    "429 for ever": (refuses(429, {"Retry-After": "86400000"}), ""),
    "500": (refuses(500, text="<html></html>"), "500"),
    "round in a circle": (refuses(302, {"Location": "?watch=true"}), "302"),
    "no HTTP": (no_http, "ClientResponseError"),
}
LISTED: dict[str, tuple[Answer, str]] = {
    "no JSON": (says("<html></html>"), "JSONDecodeError"),
    "no object": (says("[]"), "no object"),
    "no list": (refuses(200), "no list"),
    "410": (refuses(410), "old"),
    "404": (refuses(404), "404"),
    "422": (refuses(422), "422"),
}


@pytest.fixture(scope="module")
def way(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with Way(server, tmp_path_factory.mktemp("way")).open() as way:
        yield way


@pytest.fixture(scope="module")
def operator(way: Way, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    running = Operator(way.kubeconfig, tmp_path_factory.mktemp("operator") / "log")
    running.start()
    yield running
    running.stop()


async def goes_on(cluster: Cluster, operator: Operator, name: str) -> None:
    """A network that was made while the way failed is rendered, by the same process."""

    async def rendered() -> bool:
        assert operator.running(), operator.text()[-2000:]
        return bool(await cluster.section(name))

    await eventually("the network is rendered", rendered)


@pytest.mark.parametrize("kind", WATCHED)
async def test_a_watch_that_fails(
    cluster: Cluster, operator: Operator, way: Way, kind: str
) -> None:
    answer, why = WATCHED[kind]
    await cluster.coordinator({"podCIDRType": "none"})
    await cluster.network("before")
    await goes_on(cluster, operator, "before")
    began, failing = len(operator.text()), watches(OURS)
    asked = len(way.asked)
    with way.failing(lambda request: answer if failing(request) else None):

        async def told() -> bool:
            assert operator.running(), operator.text()[-2000:]
            if not why:
                return any(OURS in each for each in way.asked[asked:])
            return any(
                SAID in line and why in line for line in operator.text()[began:].splitlines()
            )

        await eventually("the log says so", told)
        await cluster.network("during")
    assert len([each for each in way.asked[asked:] if f"/{OURS}?" in each]) < 40, "a hot loop"
    await goes_on(cluster, operator, "during")
    assert operator.text()[began:].count(SAID) <= 1
    assert "Watcher for" not in operator.text()


@pytest.mark.parametrize("kind", LISTED)
async def test_a_list_that_fails(cluster: Cluster, operator: Operator, way: Way, kind: str) -> None:
    answer, why = LISTED[kind]
    await cluster.coordinator({"podCIDRType": "none"})
    began, listing, watching = len(operator.text()), lists(OURS), watches(OURS)
    old = refuses(410)

    def fault(request: web.Request) -> Answer | None:
        if watching(request):
            return old
        return answer if listing(request) else None

    with way.failing(fault):

        async def told() -> bool:
            assert operator.running(), operator.text()[-2000:]
            return any(
                SAID in line and why in line for line in operator.text()[began:].splitlines()
            )

        await eventually("the log says so", told)
        await cluster.network("during")
    await goes_on(cluster, operator, "during")
    assert operator.running()
