"""Ownership of a NAD: which network it belongs to, and what to do with it.

A NAD is ours if our network is its controller, or if it was adopted by our network, or if it was
made from a predecessor of our network: one of the same name that was deleted. Nothing else is ever
changed. Of several networks that claim one name the one that has the NAD keeps it; if none
has it, the oldest gets it, then the first by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from json import dumps

from spidercoordinator.api import nad as nad_api
from spidercoordinator.api.objects import Object
from spidercoordinator.core.network.desired import DesiredNAD
from spidercoordinator.core.network.maker import (
    TRUE,
    annotations_of,
    controller,
    controller_uid,
    is_adoptable,
    is_adopted,
    is_copy,
    is_terminating,
    maker_name,
    maker_uid,
    network_controller,
    signature_of,
)
from spidercoordinator.core.network.release import Release, release_patch


@dataclass(frozen=True, slots=True)
class InSync:
    """The NAD is as desired."""


@dataclass(frozen=True, slots=True)
class Apply:
    """The NAD has to be written.

    Attributes:
        body: for server-side apply.
        creates: whether there is none: if there is one by now, it must not be taken.
        adopts: whether the NAD was somebody else's until now.
        reverts: whether it takes back an edit of others.
        reclaims: whether the NAD has lost its owner reference. So it does when its network is
            deleted with --cascade=orphan, which the network may show a moment later.
    """

    body: Object
    creates: bool = False
    adopts: bool = False
    reverts: bool = False
    reclaims: bool = False

    @property
    def digest(self) -> str:
        """Stands for the content: equal for equal content of the same network."""
        annotations = self.body["metadata"]["annotations"]
        return f"{annotations[nad_api.CONTENT_HASH]} {annotations[nad_api.NETWORK]}"


@dataclass(frozen=True, slots=True)
class Conflict:
    """The name belongs to somebody else.

    Attributes:
        message: who that is, and what can be done.
    """

    message: str


@dataclass(frozen=True, slots=True)
class Wait:
    """The NAD is terminating; its end is an event."""


Decision = InSync | Apply | Conflict | Wait | Release


def decide(desired: DesiredNAD, nad: Object | None, others: Iterable[Object]) -> Decision:
    """What to do with the NAD a network claims.

    Args:
        desired: What it should be.
        nad: The NAD as it is, None if there is none.
        others: The other networks of the namespace that claim the same name.
    """
    rivals = {each["metadata"]["uid"]: each for each in others if not is_terminating(each)}
    if nad is None:
        winner = _first(desired, rivals.values())
        if winner is not None:
            return Conflict(_claimed_too(desired, winner))
        return Apply(_body(desired), creates=True)
    if is_terminating(nad):
        return Wait()
    if is_ours(desired, nad):
        return _sync(desired, nad)
    return _claim(desired, nad, rivals)


def is_ours(desired: DesiredNAD, nad: Object) -> bool:
    """Whether the NAD is the network's own, controlled or adopted.

    The annotation counts beside the owner reference, so that removing the reference is an edit
    like any other and reverted.
    """
    return controller_uid(nad) == desired.owner["uid"] or signature_of(nad) == _signature(desired)


def _is_in_sync(desired: DesiredNAD, nad: Object) -> bool:
    """Whether the NAD has all that is desired, and nothing of ours that is not."""
    annotations = annotations_of(nad)
    same = all(annotations.get(key) == value for key, value in _our_annotations(desired).items())
    owned = is_adopted(nad) or controller_uid(nad) == desired.owner["uid"]
    return same and owned and nad.get("spec", {}).get("config") == desired.config


def _sync(desired: DesiredNAD, nad: Object) -> Decision:
    if is_adopted(nad) and not is_adoptable(nad):
        return Release(release_patch(nad))
    if _is_in_sync(desired, nad):
        return InSync()
    # One that may be adopted and has no controller is not made ours: who took the annotation with
    # its former configuration away must not have it end with the network.
    lent = is_adopted(nad) or is_adoptable(nad)
    body = _adopting_body(desired, nad) if lent else _own_body(desired, nad)
    return Apply(body, reverts=_reverts(body, nad), reclaims=not lent and controller(nad) is None)


def _reverts(body: Object, nad: Object) -> bool:
    """Whether a NAD differs by an edit of others, not by what is desired now."""
    written = annotations_of(nad).get(nad_api.CONTENT_HASH)
    return written in {None, body["metadata"]["annotations"][nad_api.CONTENT_HASH]}


def _claim(desired: DesiredNAD, nad: Object, rivals: Mapping[str, Object]) -> Decision:
    uid = maker_uid(nad)
    if uid in rivals:
        return Conflict(_owned_by(desired, rivals[uid]))
    winner = _first(desired, rivals.values())
    if winner is not None:
        return Conflict(_claimed_too(desired, winner))
    if _is_predecessors(desired, nad):
        return Apply(_own_body(desired, nad))
    if is_adoptable(nad):
        return Apply(_adopting_body(desired, nad), adopts=True)
    return Conflict(_foreign(desired, nad))


def _is_predecessors(desired: DesiredNAD, nad: Object) -> bool:
    """Whether the NAD was made from a network of our name that was deleted.

    Ours was made again before the NAD went with it, or it was deleted with --cascade=orphan, which
    takes the owner reference away.
    """
    if maker_name(nad) != desired.owner["name"]:
        return False
    if controller(nad) is not None:
        return network_controller(nad) is not None
    return not is_adopted(nad) and not is_adoptable(nad) and not is_copy(nad)


def _first(desired: DesiredNAD, rivals: Iterable[Object]) -> Object | None:
    """The rival that comes before the network, if one does."""
    own = (desired.created, desired.owner["name"])
    first = min(rivals, key=_rank, default=None)
    return first if first is not None and _rank(first) < own else None


def _rank(network: Object) -> tuple[str, str]:
    meta = network["metadata"]
    return (meta.get("creationTimestamp", ""), meta["name"])


def _signature(desired: DesiredNAD) -> str:
    return f"{desired.owner['name']}/{desired.owner['uid']}"


def _our_annotations(desired: DesiredNAD) -> dict[str, str]:
    """The annotations to write; by the hash one is noticed that is no longer desired."""
    content = [desired.config, sorted(desired.annotations.items())]
    return {
        **desired.annotations,
        nad_api.NETWORK: _signature(desired),
        nad_api.MADE_AS: desired.name,
        nad_api.CONTENT_HASH: sha256(dumps(content).encode()).hexdigest()[:16],
    }


def _body(desired: DesiredNAD) -> Object:
    return {
        "metadata": {
            "name": desired.name,
            "namespace": desired.namespace,
            "annotations": _our_annotations(desired),
            "ownerReferences": [dict(desired.owner)],
        },
        "spec": {"config": desired.config},
    }


def _own_body(desired: DesiredNAD, nad: Object) -> Object:
    """With the uid, so that it is this NAD that changes and not another one of its name."""
    body = _body(desired)
    body["metadata"]["uid"] = nad["metadata"]["uid"]
    return body


def _adopting_body(desired: DesiredNAD, nad: Object) -> Object:
    """Without an owner reference: the NAD must outlive the network."""
    body = _own_body(desired, nad)
    config = nad.get("spec", {}).get("config", "")
    del body["metadata"]["ownerReferences"]
    body["metadata"]["annotations"][nad_api.ADOPTED_CONFIG] = annotations_of(nad).get(
        nad_api.ADOPTED_CONFIG, config
    )
    return body


def _name(desired: DesiredNAD) -> str:
    return f"NetworkAttachmentDefinition {desired.namespace}/{desired.name}"


def _remedy(desired: DesiredNAD) -> str:
    return f"choose another name with the annotation {nad_api.CR_NAME} on {desired.owner['name']}"


def _owned_by(desired: DesiredNAD, other: Object) -> str:
    name = other["metadata"]["name"]
    return f"{_name(desired)} belongs to SpiderMultusConfig {name}; {_remedy(desired)}"


def _claimed_too(desired: DesiredNAD, other: Object) -> str:
    name = other["metadata"]["name"]
    return (
        f"{_name(desired)} is also claimed by SpiderMultusConfig {name}, which comes first"
        f" (it is older, or its name is); {_remedy(desired)}"
    )


def _foreign(desired: DesiredNAD, nad: Object) -> str:
    reference = controller(nad)
    whose = (
        f"is controlled by {reference['kind']} {reference['name']}"
        if reference
        else "was made by others"
    )
    allow = (
        "" if reference else f", or annotate it with {nad_api.ADOPT}={TRUE} to have it taken over"
    )
    return f"{_name(desired)} {whose} and is left alone; {_remedy(desired)}{allow}"
