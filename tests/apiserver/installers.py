"""Pods of the installer, as a kubelet reports them after their init container ended."""

from __future__ import annotations

import json
from dataclasses import dataclass

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import PODS

NAMESPACE = "default"
SELECTOR = "app=installer"
INSTALLER = {"app": "installer"}
CONTAINER = {"image": "example.org/cni:1"}


def installer_status(*interfaces: str, truncated: bool = False) -> Object:
    """What kubelet tells of an installer that has reported the node's interfaces."""
    message = json.dumps({"interfaces": interfaces, "unlisted": [], "truncated": truncated})
    ended = {"exitCode": 0, "reason": "Completed", "message": message}
    container = {
        "name": "install",
        "state": {"terminated": ended},
        "image": "",
        "imageID": "",
        "ready": True,
        "restartCount": 0,
    }
    return {"status": {"initContainerStatuses": [container]}}


@dataclass
class Installers:
    """One pod a node."""

    api: Client

    async def start(self, node: str, labels: dict[str, str] | None = None) -> None:
        """Have a pod on a node, whose init container has not run yet."""
        meta = {"name": node, "namespace": NAMESPACE, "labels": labels or INSTALLER}
        spec = {
            "nodeName": node,
            "initContainers": [{"name": "install", **CONTAINER}],
            "containers": [{"name": "coordinator-install", **CONTAINER}],
        }
        await self.api.create(PODS, {"metadata": meta, "spec": spec}, NAMESPACE)

    async def tell(self, node: str, *interfaces: str, truncated: bool = False) -> None:
        """Report that the init container ended and what it told."""
        patch = installer_status(*interfaces, truncated=truncated)
        await self.api.patch(PODS, node, NAMESPACE, patch=patch, subresource="status")

    async def end(self, *nodes: str) -> None:
        """Take the pods away."""
        for node in nodes:
            await self.api.delete(PODS, node, NAMESPACE, at_once=True)
