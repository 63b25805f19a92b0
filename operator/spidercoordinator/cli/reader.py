"""Read a cluster as far as one may."""

from __future__ import annotations

from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.diagnosis import Finding
from spidercoordinator.errors import ApiForbiddenError, ApiNotFoundError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import Resource


class Reader:
    """Reads what one may do without, and remembers what it was not allowed to read."""

    def __init__(self, api: Client) -> None:
        self.api = api
        self.unreadable: dict[str, Finding] = {}

    async def list(self, resource: Resource, labels: str = "") -> list[Object] | None:
        """All objects of a kind, None when there is no such kind, or they are not to be read."""
        try:
            return await read(self.api, resource, labels=labels)
        except ApiForbiddenError:
            self._refused(resource.full_name)
            return None

    async def find(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """One object, None when it does not exist, or is not to be read.

        It is listed, not got: that is what the operator's own rights allow.
        """
        try:
            objects = await read(self.api, resource, namespace, fields=f"metadata.name={name}")
        except ApiForbiddenError:
            self._refused(resource.describe(namespace, name))
            return None
        return objects[0] if objects else None

    def _refused(self, what: str) -> None:
        advice = "run this with a kubeconfig whose user may, such as an administrator's"
        self.unreadable[what] = Finding("UNSEEN", what, "this user may not read it (403)", advice)


async def read(
    api: Client, resource: Resource, namespace: str = "", *, labels: str = "", fields: str = ""
) -> list[Object] | None:
    """All objects of a kind, None when there is no such kind.

    Raises:
        ApiError: they cannot be read.
    """
    try:
        objects, _ = await api.list(resource, namespace, labels=labels, fields=fields)
    except ApiNotFoundError:
        return None
    return objects
