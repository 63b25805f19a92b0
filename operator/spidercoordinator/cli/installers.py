"""Have the nodes' installers restore another product's plugin, before the chart is removed.

An installer cannot know whether its pod is replaced or the product removed: the plugin is restored
only where the pod bears an annotation, which the next pod does not. Its container ends when it has
done so (cni/cmd/coordinator-install), which its status tells.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.nad import OWN_PREFIX
from spidercoordinator.api.objects import Object
from spidercoordinator.errors import ApiNotFoundError, SpiderCoordinatorError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import PODS

logger = logging.getLogger(__name__)

UNINSTALL: Final = f"{OWN_PREFIX}uninstall"
"""The annotation of an installer's pod."""

CONTAINER: Final = "coordinator-install"
"""The resident container, as the chart names it."""

_LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Installers:
    """The installer's pods.

    Attributes:
        namespace: theirs.
        selector: a label selector.
    """

    namespace: str
    selector: str

    async def restore(self, api: Client) -> None:
        """Tell all of them, and wait until each has done it, for as long as the caller lets it.

        Pods that do not run are not waited for. What cannot be done is logged with what to do
        by hand: an uninstall does not fail for it.
        """
        waiting: dict[str, str] = {}
        try:
            for pod in await self._pods(api):
                if await self._told(api, pod) and _runs(pod):
                    waiting[pod["metadata"]["name"]] = _node(pod)
            while waiting:
                await asyncio.sleep(_LOOK_SECONDS)
                running = {p["metadata"]["name"] for p in await self._pods(api) if _runs(p)}
                waiting = {name: node for name, node in waiting.items() if name in running}
        except asyncio.CancelledError:
            _by_hand(f"no answer from the installer on {', '.join(sorted(waiting.values()))}")
            raise
        except SpiderCoordinatorError as error:
            _by_hand(str(error))

    async def _pods(self, api: Client) -> list[Object]:
        found, _ = await api.list(PODS, self.namespace, labels=self.selector)
        return found

    async def _told(self, api: Client, pod: Object) -> bool:
        body = {"metadata": {"annotations": {UNINSTALL: "true"}}}
        try:
            await api.patch(PODS, pod["metadata"]["name"], self.namespace, patch=body)
        except ApiNotFoundError:
            return False
        return True


def _runs(pod: Object) -> bool:
    """Whether the resident container runs in a pod that stays: it has not answered yet."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return "deletionTimestamp" not in pod["metadata"] and any(
        status.get("name") == CONTAINER and "running" in (status.get("state") or {})
        for status in statuses
    )


def _node(pod: Object) -> str:
    return str((pod.get("spec") or {}).get("nodeName") or pod["metadata"]["name"])


def _by_hand(why: str) -> None:
    logger.warning(
        "another product's plugin may not be restored: %s; on such a node, as root: cd to its"
        " folder of CNI plugins (/opt/cni/bin) and mv .coordinator.foreign coordinator, and"
        " likewise .ifacer.foreign",
        why,
    )
