"""NADs that a network does not claim any more: which one goes, is given back, or is left alone."""

from typing import Any

import pytest

from spidercoordinator.api import nad
from spidercoordinator.core.network.desired import owner_reference
from spidercoordinator.core.network.release import (
    Delete,
    Release,
    decide_release,
    release_patch,
    without_manager,
)

THEIRS = '{"type":"bridge"}'


def made(name: str = "former", **changes: Any) -> dict[str, Any]:
    meta = {
        "namespace": "net-a",
        "name": name,
        "uid": "uid-nad",
        "resourceVersion": "7",
        "annotations": {
            nad.NETWORK: "mine/uid-mine",
            nad.MADE_AS: "former",
            nad.CONTENT_HASH: "0123",
        },
        "ownerReferences": [owner_reference({"name": "mine", "uid": "uid-mine"})],
    }
    return {"metadata": meta | changes, "spec": {"config": "{}"}}


def adopted(name: str = "former", **changes: Any) -> dict[str, Any]:
    given = made(name, ownerReferences=[], **changes)
    given["metadata"]["annotations"] |= {nad.ADOPTED_CONFIG: THEIRS, nad.ADOPT: "true"}
    return given


def test_what_was_made_under_a_former_name_is_deleted_as_it_was_seen() -> None:
    assert decide_release(made(), uid="uid-mine") == Delete("uid-nad", "7")


OTHERS = [owner_reference({"name": "mine", "uid": "uid-before"})]
LEFT: dict[str, tuple[dict[str, Any], str]] = {
    "the network is gone: the garbage collector's": (made(), ""),
    "a copy under another name": (made("copy"), "uid-mine"),
    "orphaned": (made(ownerReferences=[]), "uid-mine"),
    "a predecessor's": (made(ownerReferences=OTHERS), "uid-mine"),
    "of another network by its annotation": (
        made(annotations={nad.NETWORK: "other/uid", nad.MADE_AS: "former"}),
        "uid-mine",
    ),
    "without our annotations": (made(annotations={}), "uid-mine"),
    "terminating": (made(deletionTimestamp="now"), "uid-mine"),
    "a copy of an adopted one": (adopted("copy"), "uid-mine"),
    "a copy of an adopted one, without its network": (adopted("copy"), ""),
}


@pytest.mark.parametrize(("given", "uid"), LEFT.values(), ids=LEFT.keys())
def test_left_alone(given: dict[str, Any], uid: str) -> None:
    assert decide_release(given, uid=uid) is None


@pytest.mark.parametrize("uid", ["uid-mine", "", "uid-made-again"])
def test_adopted_is_given_back(uid: str) -> None:
    decision = decide_release(adopted(), uid=uid)
    assert isinstance(decision, Release)
    assert decision.patch["spec"] == {"config": THEIRS}


def test_release_removes_what_is_ours_and_nothing_else() -> None:
    team = {"apiVersion": "v1", "kind": "Team", "name": "x", "uid": "y"}
    given = adopted()
    given["metadata"]["annotations"]["note"] = "theirs"
    given["metadata"]["ownerReferences"] = [
        team,
        owner_reference({"name": "mine", "uid": "uid-mine"}),
    ]
    patch = release_patch(given)
    assert patch["metadata"] == {
        "annotations": dict.fromkeys(
            [nad.NETWORK, nad.ADOPTED_CONFIG, nad.CONTENT_HASH, nad.MADE_AS]
        ),
        "ownerReferences": [team],
        "resourceVersion": "7",
    }


@pytest.mark.parametrize(
    ("managers", "expected"),
    [
        (["them", "us", "us"], [{"manager": "them"}]),
        (["us"], [{}]),
        (["them"], None),
        ([], None),
    ],
    ids=str,
)
def test_a_field_manager_s_part_ends(managers: list[str], expected: list[Any] | None) -> None:
    given = made(managedFields=[{"manager": each} for each in managers])
    patch = without_manager(given, "us")
    assert (patch and patch["metadata"]["managedFields"]) == expected
