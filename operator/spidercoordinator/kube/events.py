"""Kubernetes Events: what happened to an object, for `kubectl describe`."""

from __future__ import annotations

import logging
import secrets
from typing import Final

from spidercoordinator.api.objects import name_of
from spidercoordinator.core.status.transitions import Transition
from spidercoordinator.errors import ApiError
from spidercoordinator.kube.client import FIELD_MANAGER, Client
from spidercoordinator.kube.resource import EVENTS, Object, Resource

logger = logging.getLogger(__name__)

_LONGEST_MESSAGE: Final = 1024
"""The API server refuses longer ones."""


def log(resource: Resource, about: Object, transition: Transition) -> None:
    """Say in the log what an Event says: the Event is gone after an hour."""
    what = resource.describe(*name_of(about))
    level = logging.WARNING if transition.type == "Warning" else logging.INFO
    extra = {"object": what, "reason": transition.reason}
    logger.log(level, "%s: %s", what, transition.message or transition.reason, extra=extra)


async def post(
    client: Client, resource: Resource, about: Object, transition: Transition, *, now: str
) -> None:
    """Write an Event about an object, and a line in the log.

    That it could not be written is logged, and no error.

    Args:
        client: where to.
        resource: the object's kind.
        about: the object.
        transition: what happened to it.
        now: the time in RFC 3339.
    """
    log(resource, about, transition)
    meta = about["metadata"]
    # Events about cluster-wide objects live in the namespace default, as the API server wants it.
    namespace = meta.get("namespace") or "default"
    event = {
        "metadata": {"name": f"{meta['name']}.{secrets.token_hex(8)}", "namespace": namespace},
        "involvedObject": {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "name": meta["name"],
            "namespace": meta.get("namespace", ""),
            "uid": meta.get("uid", ""),
            "resourceVersion": meta.get("resourceVersion", ""),
        },
        "type": transition.type,
        "reason": transition.reason,
        "message": transition.message[:_LONGEST_MESSAGE],
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": f"spiderpool.spidernet.io/{FIELD_MANAGER}",
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
    try:
        await client.create(EVENTS, event, namespace)
    except ApiError as error:
        logger.info("an Event could not be written: %s", error)
