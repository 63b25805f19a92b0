"""NADs that a network made or adopted and does not claim any more: what becomes of them.

The deletion of a network is the garbage collector's work, by the owner references: it alone knows
whether the network's dependents are to go (background, foreground) or to stay (orphan). The
operator deletes a NAD only when its network has moved to another name, and then nothing but the
NAD that it made under the former one: a copy, which has the same annotations, is somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass

from spidercoordinator.api import nad as nad_api
from spidercoordinator.api.objects import Object
from spidercoordinator.core.network.maker import (
    annotations_of,
    controller_uid,
    is_adopted,
    is_copy,
    is_network,
    is_terminating,
    maker_uid,
    signature_of,
)


@dataclass(frozen=True, slots=True)
class Release:
    """The NAD was adopted, and is given back.

    Attributes:
        patch: a merge patch that restores it.
    """

    patch: Object


@dataclass(frozen=True, slots=True)
class Delete:
    """The NAD was made under a name that its network has left.

    Attributes:
        uid: of the NAD.
        version: its resource version.
    """

    uid: str
    version: str


def decide_release(nad: Object, *, uid: str) -> Release | Delete | None:
    """What to do with a NAD of a network that does not claim it; None to leave it alone.

    Args:
        nad: The NAD, which names the network as its maker.
        uid: The network's; empty if there is no network of that name any more.
    """
    if is_terminating(nad) or is_copy(nad):
        return None
    if is_adopted(nad):
        # Adopted by a predecessor of the same name, it has lost its network as well.
        return Release(release_patch(nad))
    meta = nad["metadata"]
    made_by_us = uid and controller_uid(nad) == uid == maker_uid(nad)
    if made_by_us and signature_of(nad).rpartition("/")[2] == uid:
        return Delete(meta["uid"], meta["resourceVersion"])
    return None


def release_patch(nad: Object) -> Object:
    """A merge patch that restores an adopted NAD; what others wrote stays.

    References to networks go as well: with one the NAD would end with the network.
    """
    annotations = annotations_of(nad)
    ours = (nad_api.NETWORK, nad_api.ADOPTED_CONFIG, nad_api.CONTENT_HASH, nad_api.MADE_AS)
    meta: Object = {"annotations": dict.fromkeys(key for key in ours if key in annotations)}
    references = nad["metadata"].get("ownerReferences") or []
    kept = [reference for reference in references if not is_network(reference)]
    if kept != references:
        meta["ownerReferences"] = kept
    if version := nad["metadata"].get("resourceVersion"):
        # An edit that came in between must not be lost.
        meta["resourceVersion"] = version
    return {"metadata": meta, "spec": {"config": annotations.get(nad_api.ADOPTED_CONFIG, "")}}


def without_manager(nad: Object, manager: str) -> Object | None:
    """A merge patch that ends a field manager's part in a NAD; None if it has none.

    Args:
        nad: The NAD as the API server answered, with its managed fields.
        manager: The field manager.
    """
    meta = nad["metadata"]
    fields = meta.get("managedFields") or []
    kept = [entry for entry in fields if entry.get("manager") != manager]
    if kept == fields:
        return None
    # An empty list would mean "as they are", a list of an empty entry means "none".
    version = meta["resourceVersion"]
    return {"metadata": {"managedFields": kept or [{}], "resourceVersion": version}}
