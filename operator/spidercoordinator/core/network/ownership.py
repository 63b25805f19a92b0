"""Whose NAD it is, and what to do with it.

A NAD is ours if our network is its controller, or if it was adopted by our network. Nothing else
is ever changed. Of several networks that want one name the one that has the NAD keeps it; if none
has it, the oldest gets it, then the first by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from typing import Any, Final

from spidercoordinator.api import nad
from spidercoordinator.api.kinds import GROUP, NETWORK_KIND
from spidercoordinator.core.network.desired import Wanted

Thing = Mapping[str, Any]
"""A Kubernetes object as JSON."""

YES: Final = "true"


@dataclass(frozen=True, slots=True)
class Leave:
    """The NAD is as it should be."""


@dataclass(frozen=True, slots=True)
class Apply:
    """Make the NAD so.

    Attributes:
        body: for server-side apply.
        creates: whether there is none: if there is one by now, it must not be taken.
        adopts: whether the NAD was somebody else's until now.
    """

    body: dict[str, Any]
    creates: bool = False
    adopts: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """The name belongs to somebody else.

    Attributes:
        message: who that is, and what can be done.
    """

    message: str


@dataclass(frozen=True, slots=True)
class Wait:
    """The NAD is being deleted; its end is an event."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The NAD was adopted, and its adopt annotation has been taken away.

    Attributes:
        patch: a merge patch that makes it what it was.
    """

    patch: dict[str, Any]


Decision = Leave | Apply | Conflict | Wait | GiveBack


def decide(wanted: Wanted, current: Thing | None, others: Iterable[Thing]) -> Decision:
    """What to do with the NAD a network wants.

    Args:
        wanted: What it should be.
        current: The NAD as it is, None if there is none.
        others: The other networks of the namespace that want the same name.
    """
    rivals = {thing["metadata"]["uid"]: thing for thing in others if not _leaving(thing)}
    if current is None:
        winner = _first(wanted, rivals.values())
        if winner is not None:
            return Conflict(_wanted_too(wanted, winner))
        return Apply(_body(wanted), creates=True)
    if _leaving(current):
        return Wait()
    if is_ours(wanted, current):
        return _keep(wanted, current)
    return _claim(wanted, current, rivals)


def is_ours(wanted: Wanted, current: Thing) -> bool:
    """Whether the NAD is the network's own, made or adopted.

    The annotation counts beside the owner reference, so that taking the reference away is an edit
    like any other and healed.
    """
    return owner_uid(current) == wanted.owner["uid"] or network_of(current) == _signature(wanted)


def is_adopted(current: Thing) -> bool:
    """Whether the NAD was taken over from somebody who made it."""
    return nad.ADOPTED_CONFIG in _annotations(current)


def controller(current: Thing) -> Mapping[str, Any] | None:
    """The NAD's controller reference."""
    references = current["metadata"].get("ownerReferences") or ()
    return next((reference for reference in references if reference.get("controller")), None)


def owner(current: Thing) -> Mapping[str, Any] | None:
    """The controller reference if it is a network."""
    found = controller(current)
    if found is None or found["kind"] != NETWORK_KIND:
        return None
    return found if str(found["apiVersion"]).startswith(f"{GROUP}/") else None


def owner_uid(current: Thing) -> str:
    """The uid of the network that is the NAD's controller, empty if none is."""
    found = owner(current)
    return str(found["uid"]) if found else ""


def network_of(current: Thing) -> str:
    """The network the NAD says it is made from, as `name/uid`, empty if it names none."""
    return str(_annotations(current).get(nad.NETWORK, ""))


def maker_uid(current: Thing) -> str:
    """The uid of the network a NAD is made from, empty if it is from none."""
    return owner_uid(current) or network_of(current).rpartition("/")[2]


def maker_name(current: Thing) -> str:
    """The name of the network a NAD is made from, empty if it is from none."""
    found = owner(current)
    return str(found["name"]) if found else network_of(current).partition("/")[0]


def may_be_adopted(current: Thing) -> bool:
    """Whether the NAD carries the adopt annotation and nobody controls it."""
    return _annotations(current).get(nad.ADOPT) == YES and controller(current) is None


def given_back(current: Thing) -> dict[str, Any]:
    """A merge patch that makes an adopted NAD what it was; what others wrote stays."""
    ours = dict.fromkeys((nad.NETWORK, nad.ADOPTED_CONFIG, nad.CONTENT_HASH))
    return {
        "metadata": {"annotations": ours},
        "spec": {"config": _annotations(current).get(nad.ADOPTED_CONFIG, "")},
    }


def _in_step(wanted: Wanted, current: Thing) -> bool:
    """Whether the NAD says all that is wanted, and nothing of ours that is not."""
    annotations = _annotations(current)
    same = all(annotations.get(key) == value for key, value in _written(wanted).items())
    owned = is_adopted(current) or owner_uid(current) == wanted.owner["uid"]
    return same and owned and current.get("spec", {}).get("config") == wanted.config


def _keep(wanted: Wanted, current: Thing) -> Decision:
    if is_adopted(current) and not may_be_adopted(current):
        return GiveBack(given_back(current))
    if _in_step(wanted, current):
        return Leave()
    return Apply(
        _adopting_body(wanted, current) if is_adopted(current) else _own_body(wanted, current)
    )


def _claim(wanted: Wanted, current: Thing, rivals: Mapping[str, Thing]) -> Decision:
    uid = owner_uid(current) or network_of(current).rpartition("/")[2]
    if uid in rivals:
        return Conflict(_owned_by(wanted, rivals[uid]))
    winner = _first(wanted, rivals.values())
    if winner is not None:
        return Conflict(_wanted_too(wanted, winner))
    found = owner(current)
    if found is not None and found["name"] == wanted.owner["name"]:
        # Our network was deleted and made again before the NAD went with its predecessor.
        return Apply(_own_body(wanted, current))
    if may_be_adopted(current):
        return Apply(_adopting_body(wanted, current), adopts=True)
    return Conflict(_foreign(wanted, current))


def _first(wanted: Wanted, rivals: Iterable[Thing]) -> Thing | None:
    """The rival that comes before the network, if one does."""
    mine = (wanted.created, wanted.owner["name"])
    first = min(rivals, key=_rank, default=None)
    return first if first is not None and _rank(first) < mine else None


def _rank(thing: Thing) -> tuple[str, str]:
    meta = thing["metadata"]
    return (meta.get("creationTimestamp", ""), meta["name"])


def _leaving(thing: Thing) -> bool:
    return thing["metadata"].get("deletionTimestamp") is not None


def _annotations(thing: Thing) -> Mapping[str, str]:
    return thing["metadata"].get("annotations") or {}


def _signature(wanted: Wanted) -> str:
    return f"{wanted.owner['name']}/{wanted.owner['uid']}"


def _written(wanted: Wanted) -> dict[str, str]:
    """The annotations; the hash makes seen that one of them is no longer wanted."""
    content = [wanted.config, sorted(wanted.annotations.items())]
    return {
        **wanted.annotations,
        nad.NETWORK: _signature(wanted),
        nad.CONTENT_HASH: sha256(dumps(content).encode()).hexdigest()[:16],
    }


def _body(wanted: Wanted) -> dict[str, Any]:
    return {
        "metadata": {
            "name": wanted.name,
            "namespace": wanted.namespace,
            "annotations": _written(wanted),
            "ownerReferences": [dict(wanted.owner)],
        },
        "spec": {"config": wanted.config},
    }


def _own_body(wanted: Wanted, current: Thing) -> dict[str, Any]:
    """With the uid, so that it is this NAD that changes and not another one of its name."""
    body = _body(wanted)
    body["metadata"]["uid"] = current["metadata"]["uid"]
    return body


def _adopting_body(wanted: Wanted, current: Thing) -> dict[str, Any]:
    """Without an owner reference: the NAD must outlive the network."""
    body = _own_body(wanted, current)
    config = current.get("spec", {}).get("config", "")
    del body["metadata"]["ownerReferences"]
    body["metadata"]["annotations"][nad.ADOPTED_CONFIG] = _annotations(current).get(
        nad.ADOPTED_CONFIG, config
    )
    return body


def _name(wanted: Wanted) -> str:
    return f"NetworkAttachmentDefinition {wanted.namespace}/{wanted.name}"


def _remedy(wanted: Wanted) -> str:
    return f"choose another name with the annotation {nad.CR_NAME} on {wanted.owner['name']}"


def _owned_by(wanted: Wanted, other: Thing) -> str:
    name = other["metadata"]["name"]
    return f"{_name(wanted)} belongs to SpiderMultusConfig {name}; {_remedy(wanted)}"


def _wanted_too(wanted: Wanted, other: Thing) -> str:
    name = other["metadata"]["name"]
    return (
        f"{_name(wanted)} is also wanted by SpiderMultusConfig {name}, which comes first"
        f" (it is older, or its name is); {_remedy(wanted)}"
    )


def _foreign(wanted: Wanted, current: Thing) -> str:
    found = controller(current)
    whose = f"is controlled by {found['kind']} {found['name']}" if found else "was made by others"
    allow = "" if found else f", or annotate it with {nad.ADOPT}={YES} to have it taken over"
    return f"{_name(wanted)} {whose} and is left alone; {_remedy(wanted)}{allow}"
