"""A thin layer over the client of the `kubernetes` package: JSON objects in, JSON objects out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from copy import copy
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

import aiohttp

from spidercoordinator.errors import ApiError, ApiNotFoundError
from spidercoordinator.kube.answers import ANY, DELETED, GROUPS, KINDS, Expected, many, one
from spidercoordinator.kube.failure import refused, reported
from spidercoordinator.kube.jsontext import Loads, dumps, loads
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.parts import event_loads, list_loads
from spidercoordinator.kube.resource import PODS, Object, Resource
from spidercoordinator.kube.transport import request, watch_events

FIELD_MANAGER: Final = "spidercoordinator"
"""Name under which the API server remembers which fields are ours."""

_JSON: Final = "application/json"
_METADATA_ONLY: Final = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
PAGE: Final = 500
_OK: Final = range(200, 300)


class Client:
    """The requests this project makes. Every method raises `ApiError` and its kinds only.

    Attributes:
        login: the way to the API server.
        client: the client of the `kubernetes` package.
        unfenced: this one, without what its changes wait for.
    """

    def __init__(self, login: Login, *, timeout: float = 30.0) -> None:
        self.login = login
        self.client = login.api_client()
        self.unfenced = self
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=10)
        self._fence: Callable[[], Awaitable[None]] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.client.close()  # type: ignore[no-untyped-call]

    def fenced(self, fence: Callable[[], Awaitable[None]]) -> Self:
        """The same client, but each request that changes something waits for `fence` first."""
        other = copy(self)
        other._fence = fence  # noqa: SLF001 - its own class
        return other

    async def get(self, resource: Resource, name: str, namespace: str = "") -> Object:
        """Read one object."""
        action = f"get {resource.describe(namespace, name)}"
        path, expected = resource.path(namespace, name), one(resource, name)
        return await self._request("GET", path, action=action, expected=expected)

    async def find(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """Read one object, None when it, or its kind, does not exist."""
        try:
            return await self.get(resource, name, namespace)
        except ApiNotFoundError:
            return None

    async def list(  # noqa: PLR0913 - a selection has this many parts
        self,
        resource: Resource,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
        parts: tuple[str, ...] = (),
        keep: Callable[[Object], Any] | None = None,
        page: int = PAGE,
    ) -> tuple[list[Any], str]:
        """Read a collection page by page; gives the objects and the list's resource version.

        Args:
            resource: the kind.
            namespace: empty for all.
            labels: label selector.
            fields: field selector.
            metadata_only: leave spec and status on the server.
            parts: what is parsed of each object beside its metadata, see `parts`; empty for all.
            keep: what is kept of each object. Whole objects are there for one page only, the raw
                answer and all that was parsed of it are dropped before the next one is asked for.
            page: objects of one answer, 0: all. Parsed, one takes five times its size as JSON.

        Raises:
            ApiGoneError: the server does not have the further pages any more; begin anew.
        """
        query = selection(labels, fields) | {"limit": str(page)}
        items: list[Any] = []
        while True:
            answer = await self._request(
                "GET",
                resource.path(namespace),
                query=query,
                accept=_METADATA_ONLY.format("List") if metadata_only else _JSON,
                parse=list_loads(parts),
                action=f"list {resource.describe(namespace)}",
                expected=many(resource),
            )
            found, meta = answer.get("items") or (), answer.get("metadata") or {}
            items.extend(map(keep, found) if keep else found)
            if not meta.get("continue"):
                return items, meta.get("resourceVersion", "")
            query["continue"] = meta["continue"]
            del answer, found, meta

    async def create(
        self, resource: Resource, body: Object, namespace: str = "", *, dry_run: bool = False
    ) -> Object:
        """Create one object; with `dry_run` the server only says what it would do."""
        name = body.get("metadata", {}).get("name", "")
        query = {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})
        return await self._request(
            "POST",
            resource.path(namespace),
            query=query,
            body={"apiVersion": resource.api_version, "kind": resource.kind} | body,
            action=f"create {resource.describe(namespace, name)}",
            expected=one(resource, name),
        )

    async def apply(
        self,
        resource: Resource,
        body: Object,
        *,
        subresource: str = "",
        force: bool = True,
        manager: str = FIELD_MANAGER,
    ) -> Object:
        """Server-side apply: our fields become as given, everybody else's stay.

        With `force` a field that another manager holds becomes ours; without, that is a conflict.
        A role that names the object may allow this to create it, which no role can with a POST.
        """
        meta = body["metadata"]
        name, namespace = meta["name"], meta.get("namespace", "")
        return await self._request(
            "PATCH",
            resource.path(namespace, name, subresource),
            query={"fieldManager": manager, "force": str(force).lower()},
            body={"apiVersion": resource.api_version, "kind": resource.kind} | body,
            content_type="application/apply-patch+yaml",
            action=f"apply {resource.describe(namespace, name)}",
            expected=one(resource, name),
        )

    async def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        patch: Object,
        subresource: str = "",
    ) -> Object:
        """JSON merge patch: None removes a field, a list replaces the whole list."""
        what = resource.describe(namespace, name)
        return await self._request(
            "PATCH",
            resource.path(namespace, name, subresource),
            query={"fieldManager": FIELD_MANAGER},
            body=patch,
            content_type="application/merge-patch+json",
            action=f"patch {subresource + ' of ' if subresource else ''}{what}",
            expected=one(resource, name),
        )

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        at_once: bool = False,
        preconditions: Object | None = None,
    ) -> None:
        """Delete one object; one that is gone already is no error.

        Args:
            resource: the kind.
            name: of the object.
            namespace: of the object.
            at_once: do not wait for a pod's containers to end.
            preconditions: uid and resource version that the object must have.

        Raises:
            ApiConflictError: the object does not meet the preconditions.
        """
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        try:
            await self._request(
                "DELETE",
                resource.path(namespace, name),
                query={"gracePeriodSeconds": "0"} if at_once else None,
                body=options if preconditions else None,
                action=f"delete {resource.describe(namespace, name)}",
                expected=DELETED,
            )
        except ApiNotFoundError:
            return

    async def log_object(self, pod: str, namespace: str, container: str) -> Object:
        """The log of a container that wrote one JSON object."""
        return await self._request(
            "GET",
            PODS.path(namespace, pod, "log"),
            query={"container": container},
            accept="*/*",
            action=f"read the log of {container} in {PODS.describe(namespace, pod)}",
        )

    async def serves(self, resource: Resource) -> bool:
        """Whether the API server knows this kind in this version now."""
        path = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.version}"
        try:
            answer = await self.read(path, f"look for {resource.describe()}", KINDS)
        except ApiNotFoundError:
            return False
        return any(entry.get("name") == resource.plural for entry in answer.get("resources") or ())

    async def groups(self) -> set[str]:
        """Names of the API groups the server lists; a CRD's group appears a moment after it."""
        answer = await self.read("/apis", "list API groups", GROUPS)
        return {group["name"] for group in answer.get("groups") or ()}

    async def read(self, path: str, action: str, expected: Expected = ANY) -> Object:
        """Read what is no object of a kind, such as `/version`; errors begin with the action."""
        return await self._request("GET", path, action=action, expected=expected)

    @asynccontextmanager
    async def stream(  # noqa: PLR0913 - a watch has this many parts
        self,
        resource: Resource,
        namespace: str = "",
        *,
        query: Mapping[str, str],
        metadata_only: bool = False,
        parts: tuple[str, ...] = (),
        idle: float,
    ) -> AsyncIterator[AsyncIterator[Object]]:
        """Open a watch; gives its events. `idle` seconds of silence raise `ApiUnavailableError`."""
        action = f"watch {resource.describe(namespace)}"
        accept = _METADATA_ONLY.format("") if metadata_only else _JSON
        url = self._url(resource.path(namespace), {**query, "watch": "true"})
        limits = aiohttp.ClientTimeout(sock_connect=10, sock_read=idle)
        with reported(action, self.login.server):
            async with request(
                self.client, "GET", url, headers={"Accept": accept}, limits=limits
            ) as answer:
                if answer.status not in _OK:
                    body = await answer.read()
                    raise self._refused(action, answer.status, body, answer.headers)
                yield watch_events(answer.content, action, event_loads(parts))

    async def _request(  # noqa: PLR0913 - one place that knows everything about a request
        self,
        method: str,
        path: str,
        *,
        action: str,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        content_type: str = _JSON,
        accept: str = _JSON,
        parse: Loads = loads,
        expected: Expected = ANY,
    ) -> Object:
        if self._fence and method != "GET":
            await self._fence()
        with reported(action, self.login.server):
            async with request(
                self.client,
                method,
                self._url(path, query),
                headers={"Accept": accept, "Content-Type": content_type},
                body=None if body is None else dumps(body),
                limits=self._timeout,
            ) as answer:
                data = await answer.read()
        if answer.status not in _OK:
            raise self._refused(action, answer.status, data, answer.headers)
        return expected.read(data, action, parse)

    def _refused(self, action: str, status: int, body: bytes, headers: Any) -> ApiError:
        return refused(action, status, body, headers, personal=self.login.personal)

    def _url(self, path: str, query: Mapping[str, str] | None) -> str:
        return self.login.server + path + (f"?{urlencode(query)}" if query else "")


def selection(labels: str, fields: str) -> dict[str, str]:
    """Query parameters of a label and a field selector, without the empty ones."""
    named = {"labelSelector": labels, "fieldSelector": fields}
    return {key: value for key, value in named.items() if value}
