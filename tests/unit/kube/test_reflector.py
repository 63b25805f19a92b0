"""List and watch against a server that misbehaves in every way API servers do."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.kube import reflector as watch_module
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.reflector import (
    Bookmark,
    Deleted,
    NotServed,
    Reflector,
    Replaced,
    Selection,
    Updated,
    WatchEvent,
    WatchFailed,
)
from spidercoordinator.kube.resource import Resource
from tests.unit.kube.kubeconfig import write_kubeconfig

BULK = "what nobody reads"
THINGS = Resource("example.org", "v1", "things", "Thing")
QUICK = Backoff(first=0.01, cap=0.02, jitter=0.0)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeServer:
    """Serves one kind; each watch is answered by the next script, the last one for ever."""

    def __init__(self) -> None:
        self.served = True
        self.version = 1
        self.lists = 0
        self.limit = ""
        self.pages = 1
        self.asked_for_page: Callable[[int], None] = lambda _: None
        self.watched_from: list[str] = []
        self.scripts: list[Answer] = []
        self.discovering: Callable[[], None] = lambda: None
        app = web.Application()
        app.router.add_get("/apis/example.org/v1", self._discover)
        app.router.add_get("/apis/example.org/v1/things", self._things)
        self.http = TestServer(app)

    async def _discover(self, _: web.Request) -> web.Response:
        self.discovering()
        if not self.served:
            raise web.HTTPNotFound
        return web.json_response({"resources": [{"name": "things"}]})

    async def _things(self, request: web.Request) -> web.StreamResponse:
        if not self.served:
            raise web.HTTPNotFound
        if "watch" not in request.query:
            page = int(request.query.get("continue", "0"))
            self.limit = request.query["limit"]
            self.asked_for_page(page)
            self.lists += 1
            meta = {"resourceVersion": str(self.version)}
            if page + 1 < self.pages:
                meta["continue"] = str(page + 1)
            # As text, so that the whole object is nowhere but where the client parsed it.
            item = json.dumps(thing("a", self.version))
            text = f'{{"metadata": {json.dumps(meta)}, "items": [{item}]}}'
            return web.Response(text=text, content_type="application/json")
        self.watched_from.append(request.query["resourceVersion"])
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        return await script(request)


def thing(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": str(version)}, "bulk": BULK}


def says(*events: tuple[str, dict[str, Any]], stay: bool = False) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for kind, body in events:
            await response.write(json.dumps({"type": kind, "object": body}).encode() + b"\n")
        if stay:
            await asyncio.Event().wait()
        return response

    return answer


def refuses(status: int) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "no"}, status=status)

    return answer


@pytest.fixture
async def fake(tmp_path: Any) -> AsyncIterator[tuple[FakeServer, Reflector]]:
    server = FakeServer()
    await server.http.start_server()
    path = write_kubeconfig(server.http, tmp_path)
    async with Client(await Login.find({"KUBECONFIG": str(path)})) as api:
        yield server, Reflector(api, Selection((THINGS,)), backoff=QUICK)
    await server.http.close()


async def take(reflector: Reflector, until: Callable[[list[WatchEvent]], bool]) -> list[WatchEvent]:
    seen: list[WatchEvent] = []
    stream = reflector.list_and_watch()
    async with asyncio.timeout(5):
        async for each in stream:
            if not isinstance(each, Bookmark):
                seen.append(each)
            if until(seen):
                break
    await stream.aclose()
    return seen


async def test_lists_then_tells_what_changes(fake: tuple[FakeServer, Reflector]) -> None:
    server, reflector = fake
    server.scripts = [says(("MODIFIED", thing("a", 2)), ("DELETED", thing("a", 3)), stay=True)]
    seen = await take(reflector, lambda seen: len(seen) == 3)
    assert seen == [Replaced([thing("a", 1)]), Updated(thing("a", 2)), Deleted(thing("a", 3))]


async def test_a_clean_end_resumes_where_it_was(fake: tuple[FakeServer, Reflector]) -> None:
    server, reflector = fake
    bookmark = ("BOOKMARK", {"metadata": {"resourceVersion": "9"}})
    server.scripts = [says(bookmark), says(("ADDED", thing("b", 10)), stay=True)]
    await take(reflector, lambda seen: len(seen) == 2)
    assert server.watched_from == ["1", "9"]
    assert server.lists == 1


async def test_the_end_of_a_watch_of_an_older_schema_lists_again(
    fake: tuple[FakeServer, Reflector],
) -> None:
    server, reflector = fake

    def changes_while_watching(seen: list[WatchEvent]) -> bool:
        if len(seen) == 2:
            reflector.expire()
        return len(seen) == 4

    server.scripts = [
        says(("MODIFIED", thing("a", 2))),
        says(("MODIFIED", thing("a", 3))),
        says(stay=True),
    ]
    seen = await take(reflector, changes_while_watching)
    kinds = [type(each) for each in seen]
    assert kinds == [Replaced, Updated, Replaced, Updated], "once, then it resumes as ever"
    assert server.lists == 2


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(refuses(410), id="as status"),
        pytest.param(says(("ERROR", {"code": 410, "message": "too old"})), id="as event"),
    ],
)
async def test_a_version_that_is_gone_lists_again(
    fake: tuple[FakeServer, Reflector], gone: Answer
) -> None:
    server, reflector = fake
    server.scripts = [gone, says(stay=True)]
    seen = await take(reflector, lambda seen: len(seen) == 2)
    assert [type(each) for each in seen] == [Replaced, Replaced]


async def test_gone_again_and_again_makes_no_hot_loop(fake: tuple[FakeServer, Reflector]) -> None:
    server, reflector = fake
    reflector.backoff = Backoff(first=0.2, cap=0.2, jitter=0.0)
    server.scripts = [refuses(410)]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await take(reflector, lambda seen: len(seen) > 6)
    assert server.lists <= 5


@pytest.mark.parametrize("status", [403, 429, 500, 503])
async def test_refusals_are_told_and_tried_again(
    fake: tuple[FakeServer, Reflector], status: int
) -> None:
    server, reflector = fake
    server.scripts = [refuses(status), says(("ADDED", thing("b", 2)), stay=True)]
    seen = await take(reflector, lambda seen: Updated(thing("b", 2)) in seen)
    failed = seen[1]
    assert isinstance(failed, WatchFailed)
    assert failed.error.status == status
    assert server.lists == 1


async def test_an_error_in_the_stream_is_told_and_tried_again(
    fake: tuple[FakeServer, Reflector],
) -> None:
    server, reflector = fake
    server.scripts = [
        says(("ERROR", {"code": 500, "message": "etcd leader changed"})),
        says(("ADDED", thing("b", 2)), stay=True),
    ]
    seen = await take(reflector, lambda seen: Updated(thing("b", 2)) in seen)
    assert isinstance(seen[1], WatchFailed)


async def test_a_watch_that_hangs_is_given_up(
    fake: tuple[FakeServer, Reflector], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, reflector = fake
    monkeypatch.setattr(watch_module, "_SERVER_ENDS_AFTER", 0.1)
    monkeypatch.setattr(watch_module, "_GRACE", 1)
    server.scripts = [says(stay=True), says(("ADDED", thing("b", 2)), stay=True)]
    seen = await take(reflector, lambda seen: Updated(thing("b", 2)) in seen)
    assert isinstance(seen[1], WatchFailed)
    assert "no answer in time" in str(seen[1].error)


@pytest.fixture
def absent(fake: tuple[FakeServer, Reflector]) -> tuple[FakeServer, Reflector]:
    """A kind that is not there, looked for again in a minute unless somebody says so."""
    server, reflector = fake
    reflector.unserved = Backoff(first=60, cap=60, jitter=0.0)
    server.served = False
    server.scripts = [says(stay=True)]
    return server, reflector


async def test_a_kind_that_comes_later_is_found_when_woken(
    absent: tuple[FakeServer, Reflector],
) -> None:
    server, reflector = absent

    def came(seen: list[WatchEvent]) -> bool:
        if seen == [NotServed()]:
            server.served = True
            # Much later than a failure is tried again.
            asyncio.get_running_loop().call_later(0.1, reflector.wake.set)
        return len(seen) == 2

    seen = await take(reflector, came)
    assert [type(each) for each in seen] == [NotServed, Replaced]


@pytest.fixture
def new_objects_only() -> Iterator[None]:
    """Have the garbage collector tell of no object that was there before."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("new_objects_only")
async def test_a_list_holds_what_is_kept_and_one_page(fake: tuple[FakeServer, Reflector]) -> None:
    server, reflector = fake
    server.pages, server.scripts = 3, [says(stay=True)]
    reflector.keep = lambda given: given["metadata"]["name"]
    alive: list[int] = []
    server.asked_for_page = lambda _: alive.append(whole_objects())
    assert await take(reflector, bool) == [Replaced(["a", "a", "a"])]
    assert alive == [0, 0, 0]
    assert whole_objects() == 0


def whole_objects() -> int:
    """How many things this process holds with all that was parsed of them."""
    held = (each for each in gc.get_objects() if isinstance(each, dict))
    return sum(each.get("bulk") == BULK for each in held)


async def test_a_list_whose_further_pages_are_gone_begins_anew(
    fake: tuple[FakeServer, Reflector],
) -> None:
    server, reflector = fake
    server.pages, server.scripts = 3, [says(stay=True)]
    asked: list[int] = []

    def expire_once(page: int) -> None:
        asked.append(page)
        if asked == [0, 1]:
            raise web.HTTPGone

    server.asked_for_page = expire_once
    assert await take(reflector, bool) == [Replaced([thing("a", 1)] * 3)]
    assert asked == [0, 1, 0, 1, 2]


async def test_a_kind_is_looked_for_at_once_when_woken_while_looking(
    absent: tuple[FakeServer, Reflector],
) -> None:
    server, reflector = absent
    server.discovering = reflector.wake.set

    def came(seen: list[WatchEvent]) -> bool:
        server.served = bool(seen)
        return len(seen) == 2

    seen = await take(reflector, came)
    assert [type(each) for each in seen] == [NotServed, Replaced]


async def test_a_kind_is_looked_for_soon_when_it_is_announced_before_it_is_served(
    absent: tuple[FakeServer, Reflector],
) -> None:
    server, reflector = absent
    reflector.unserved = Backoff(first=0.001, cap=60, jitter=0.0)
    stream = reflector.list_and_watch()
    async with asyncio.timeout(5):
        # In vain for so long that the next looks are seconds apart.
        for _ in range(11):
            assert await anext(stream) == NotServed()
        reflector.wake.set()
        for _ in range(2):
            assert await anext(stream) == NotServed()
        server.served = True
        assert await anext(stream) == Replaced([thing("a", 1)])
    await stream.aclose()


async def test_ends_when_it_is_woken_and_cancelled_at_once(
    absent: tuple[FakeServer, Reflector],
) -> None:
    _, reflector = absent
    stream = reflector.list_and_watch()
    assert await anext(stream) == NotServed()

    async def rest() -> WatchEvent:
        return await anext(stream)

    resting = asyncio.create_task(rest())
    async with asyncio.timeout(5):
        # So many turns of the loop until it rests; from then on nothing answers but this test.
        for _ in range(10):
            await asyncio.sleep(0)
        reflector.wake.set()
        await asyncio.sleep(0)
        resting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await resting


async def test_a_line_longer_than_any_buffer_arrives_whole(
    fake: tuple[FakeServer, Reflector],
) -> None:
    server, reflector = fake
    big = thing("big", 2) | {"data": "x" * 3_000_000}
    server.scripts = [says(("ADDED", big), stay=True)]
    assert (await take(reflector, lambda seen: len(seen) == 2))[1] == Updated(big)


async def test_a_kind_that_is_listed_and_not_found_is_told_of(
    fake: tuple[FakeServer, Reflector],
) -> None:
    server, reflector = fake

    def nothing(_: int) -> None:
        raise web.HTTPNotFound

    server.asked_for_page = nothing
    [failed] = await take(reflector, bool)
    assert isinstance(failed, WatchFailed)
    assert failed.error.status == 404


async def test_pages_that_end_again_and_again_are_asked_for_in_one_answer(
    fake: tuple[FakeServer, Reflector],
) -> None:
    server, reflector = fake
    server.pages, server.scripts = 3, [says(stay=True)]
    limits: list[str] = []

    def ends(page: int) -> None:
        limits.append(server.limit)
        if page:
            raise web.HTTPGone
        server.pages = 1 if server.limit == "0" else 3

    server.asked_for_page = ends
    seen = await take(reflector, lambda seen: any(isinstance(each, Replaced) for each in seen))
    assert seen[-1] == Replaced([thing("a", 1)])
    assert limits == ["500"] * 4 + ["0"]


async def test_a_version_that_is_gone_again_and_again_is_told_of(
    fake: tuple[FakeServer, Reflector], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, watch_module.__name__)
    server, reflector = fake
    server.scripts = [says(("ERROR", {"code": 410, "message": "too old"}))]
    await take(reflector, lambda _: server.lists > 6)
    assert [each.levelname for each in caplog.records] == ["WARNING"]


async def test_a_version_that_is_gone_after_an_outage_is_no_further_news(
    fake: tuple[FakeServer, Reflector], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, watch_module.__name__)
    server, reflector = fake
    gone = says(("ERROR", {"code": 410, "message": "too old"}))
    works = says(("ADDED", thing("b", 2)), stay=True)
    server.scripts = [refuses(503), refuses(503), refuses(503), gone, works]
    await take(reflector, lambda seen: Updated(thing("b", 2)) in seen)
    assert [each.levelname for each in caplog.records] == ["WARNING", "INFO"]
    assert "too old" not in caplog.text


@pytest.mark.parametrize(
    "script",
    [
        says(("ERROR", {"code": 500, "message": "cannot decode"})),
        says(("ERROR", {"code": "?"})),
        says(("ADDED", {})),
        says(("ADDED", {"metadata": {"resourceVersion": "7"}})),
        says(("BOOKMARK", {"metadata": {}})),
    ],
)
async def test_a_watch_that_fails_whenever_it_is_opened_lists_again_and_is_told_of_once(
    fake: tuple[FakeServer, Reflector], caplog: pytest.LogCaptureFixture, script: Answer
) -> None:
    caplog.set_level(logging.INFO, watch_module.__name__)
    server, reflector = fake
    server.scripts = [script]
    seen = await take(reflector, lambda _: server.lists > 4)
    assert any(isinstance(each, WatchFailed) for each in seen)
    assert [each.levelname for each in caplog.records] == ["WARNING"]
    caplog.clear()
    server.scripts = [says(("ADDED", thing("b", 2)), stay=True)]
    await take(reflector, lambda seen: Updated(thing("b", 2)) in seen)
    assert [each.levelname for each in caplog.records] == ["INFO"]


async def test_watches_that_are_cut_off_after_a_while_are_no_news(
    fake: tuple[FakeServer, Reflector],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch_module, "_LASTED", 0.1)
    caplog.set_level(logging.INFO, watch_module.__name__)
    server, reflector = fake

    async def cut_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(0.2)  # what a load balancer waits
        assert request.transport is not None
        request.transport.abort()
        return response

    server.scripts = [cut_off]
    await take(reflector, lambda _: len(server.watched_from) > 3)
    assert caplog.records == []
    assert server.lists == 1
