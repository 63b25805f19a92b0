"""Compare a store with a list, and repair what differs.

Watches are trusted but not blindly: kopf lists again after it lost its place and does not report
what vanished meanwhile, and a watch that is silently dead delivers nothing at all. The list is of
metadata only. It is consistent, so a store that is right shows everything that was there when it
began.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spidercoordinator.api.objects import Name, Object, name_of
from spidercoordinator.errors import ApiNotFoundError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import Resource
from spidercoordinator.kube.store import Store


@dataclass(frozen=True, slots=True)
class Differences:
    """How a store differs from a list that was made later.

    Attributes:
        vanished: objects of the store that do not exist any more.
        outdated: objects that are new or other than in the store; their events may be on the way.
        version: resource version of the list.
    """

    vanished: frozenset[Name]
    outdated: frozenset[Name]
    version: str

    def drop_vanished(self, store: Store) -> None:
        """Drop from the store what does not exist any more."""
        for name in self.vanished:
            store.remove(name, self.version)


def differences(
    before: Mapping[Name, str],
    now: Mapping[Name, str],
    listed: Mapping[Name, str],
    list_version: str,
) -> Differences:
    """Compare resource versions by name.

    Args:
        before: of the store, before the list was asked for.
        now: of the store, after its answer.
        listed: of the list.
        list_version: resource version of the list itself.
    """
    unchanged = {
        name for name in before.keys() | listed.keys() if before.get(name) == now.get(name)
    }
    return Differences(
        vanished=frozenset(name for name in unchanged if name in now and name not in listed),
        outdated=frozenset(
            name for name in unchanged if name in listed and listed[name] != now.get(name)
        ),
        version=list_version,
    )


async def compare(client: Client, resource: Resource, store: Store) -> Differences:
    """List the kind and give how the store differs.

    That a kind is not served says nothing of its objects: those of the store may be served again a
    moment later.

    Raises:
        ApiError: the API server refused or was not reached, or does not serve the kind of the
            objects that the store has.
    """
    before = store.versions()
    try:
        listed, version = await client.list(resource, metadata_only=True, keep=_name_and_version)
    except ApiNotFoundError:
        if before:
            raise
        listed, version = [], ""
    return differences(before, store.versions(), dict(listed), version)


def _name_and_version(given: Object) -> tuple[Name, str]:
    return name_of(given), str(given["metadata"]["resourceVersion"])


async def repair(client: Client, resource: Resource, store: Store, name: Name) -> None:
    """Read one object and put it into the store, or drop it.

    Raises:
        ApiError: the API server refused or was not reached.
    """
    known = await client.find(resource, name[1], name[0])
    if known is None:
        store.remove(name, store.version(name))
    else:
        store.put(known)
