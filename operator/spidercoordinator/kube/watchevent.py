"""What a reflector tells of a selection of objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from spidercoordinator.api.objects import mapping
from spidercoordinator.errors import ApiError, ApiGoneError, ApiUnavailableError
from spidercoordinator.kube.resource import Object


@dataclass(frozen=True, slots=True)
class Replaced:
    """The whole selection as it is now; everything seen before is void.

    Attributes:
        objects: what the reflector's `keep` left of each object.
        version: resource version of the list.
    """

    objects: list[Any]
    version: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Updated:
    """One object is new or different."""

    object: Object


@dataclass(frozen=True, slots=True)
class Deleted:
    """One object is gone."""

    object: Object


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Nothing new, but the watch works."""


@dataclass(frozen=True, slots=True)
class NotServed:
    """The API server does not have the kind."""


@dataclass(frozen=True, slots=True)
class WatchFailed:
    """The selection cannot be read now; it is tried again."""

    error: ApiError


WatchEvent = Replaced | Updated | Deleted | Bookmark | NotServed | WatchFailed


def event_of(event: Object) -> tuple[WatchEvent, str]:
    """What an event of a watch says, and the resource version up to which all is known then.

    Raises:
        ApiGoneError: that the version from which is watched is too old.
        ApiUnavailableError: that the watch ended for another reason, or it is no event.
    """
    given: Object = mapping(event.get("object"))
    if event.get("type") == "ERROR":
        code = given.get("code")
        kind = ApiGoneError if code == HTTPStatus.GONE else ApiUnavailableError
        status = code if isinstance(code, int) else 0
        raise kind(f"the watch ended: {given.get('message', '')}", status=status)
    meta, bookmark = mapping(given.get("metadata")), event.get("type") == "BOOKMARK"
    version = meta.get("resourceVersion")
    if not isinstance(version, str) or not (bookmark or isinstance(meta.get("name"), str)):
        raise ApiUnavailableError(f"the watch gave what is no event: {str(event)[:80]}")
    if bookmark:
        return Bookmark(), version
    return (Deleted(given) if event["type"] == "DELETED" else Updated(given)), version
