"""What the tests of SpiderMultusConfig do with networks and NADs in namespace default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spidercoordinator.api.nad import CR_NAME
from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import (
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERMULTUSCONFIGS,
    Resource,
)
from tests.apiserver.harness import condition, eventually

NAMESPACE = "default"
USER = {"fieldManager": "somebody"}
"""Writes are those of a user: whose fields are whose matters."""
MACVLAN: Object = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}


@dataclass
class Networks:
    """Networks of one namespace, and waiting for what becomes of them."""

    api: Client

    async def make(
        self,
        name: str,
        spec: Object | None = None,
        annotations: dict[str, str] | None = None,
        **meta: Any,
    ) -> Object:
        """Create a network, of type macvlan unless told otherwise."""
        metadata = {"name": name, "namespace": NAMESPACE, "annotations": annotations or {}, **meta}
        body = {"metadata": metadata, "spec": spec or MACVLAN}
        return await self._create(SPIDERMULTUSCONFIGS, body)

    async def wanting(self, name: str, nad: str) -> Object:
        """Create a network that wants a NAD of another name."""
        return await self.make(name, annotations={CR_NAME: nad})

    async def change(self, name: str, patch: Object) -> Object:
        """Merge-patch a network."""
        return await self._patch(SPIDERMULTUSCONFIGS, name, patch)

    async def delete(self, name: str) -> None:
        """Delete a network."""
        await self.api.delete(SPIDERMULTUSCONFIGS, name, NAMESPACE)

    async def get(self, name: str) -> Object:
        """A network, empty when it is not there."""
        return await self.api.find(SPIDERMULTUSCONFIGS, name, NAMESPACE) or {}

    async def nad(self, name: str) -> Object:
        """A NAD, empty when it is not there."""
        return await self.api.find(NETWORK_ATTACHMENT_DEFINITIONS, name, NAMESPACE) or {}

    async def make_nad(self, name: str, config: str, **meta: Any) -> Object:
        """Create a NAD as somebody else would."""
        metadata = {"name": name, "namespace": NAMESPACE, **meta}
        body = {"metadata": metadata, "spec": {"config": config}}
        return await self._create(NETWORK_ATTACHMENT_DEFINITIONS, body)

    async def change_nad(self, name: str, patch: Object) -> Object:
        """Merge-patch a NAD."""
        return await self._patch(NETWORK_ATTACHMENT_DEFINITIONS, name, patch)

    async def delete_nad(self, name: str) -> None:
        """Delete a NAD."""
        await self.api.delete(NETWORK_ATTACHMENT_DEFINITIONS, name, NAMESPACE)

    async def has(self, name: str, kind: str, status: str = "True") -> Object:
        """Wait for a condition of a network; gives it."""

        async def check() -> Object | None:
            found = condition((await self.get(name)).get("status") or {}, kind)
            return found if found.get("status") == status else None

        result: Object = await eventually(f"{name}: {kind} is {status}", check)
        return result

    async def ready(self, name: str) -> Object:
        """Wait until a network is ready for its newest generation; gives the network."""

        async def check() -> Object | None:
            thing = await self.get(name)
            status = thing.get("status") or {}
            newest = status.get("observedGeneration") == thing.get("metadata", {}).get("generation")
            good = condition(status, "Ready").get("status") == "True"
            return thing if newest and good else None

        result: Object = await eventually(f"{name} is ready", check)
        return result

    async def gone(self, nad: str) -> None:
        """Wait until a NAD is gone."""

        async def check() -> bool:
            return not await self.nad(nad)

        await eventually(f"NAD {nad} is gone", check)

    async def _create(self, resource: Resource, body: Object) -> Object:
        kind = {"apiVersion": resource.api_version, "kind": resource.kind}
        path = resource.path(NAMESPACE)
        return await self.api._request("POST", path, query=USER, body=kind | body, action="create")

    async def edit(
        self,
        resource: Resource,
        name: str,
        patch: Object,
        namespace: str = "",
        *,
        subresource: str = "",
    ) -> Object:
        """Merge-patch any object, or its status, as somebody else would."""
        return await self.api._request(
            "PATCH",
            resource.path(namespace, name, subresource),
            query=USER,
            body=patch,
            content_type="application/merge-patch+json",
            action="patch",
        )

    async def _patch(self, resource: Resource, name: str, patch: Object) -> Object:
        return await self.edit(resource, name, patch, NAMESPACE)
