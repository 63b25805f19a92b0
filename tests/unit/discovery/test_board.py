"""What is kept of a topic while its watch tells this and that."""

from __future__ import annotations

from typing import Any

from spidercoordinator.discovery.informers import note
from spidercoordinator.discovery.source import Observed, Topic
from spidercoordinator.errors import ApiForbiddenError
from spidercoordinator.kube.reflector import (
    Absent,
    Alive,
    Changed,
    Deleted,
    Failed,
    Listed,
    Selection,
)
from spidercoordinator.kube.resource import NODES

TOPIC = Topic("Node", Selection((NODES,)), lambda thing: thing.get("spec"))


def thing(name: str, spec: str | None, heartbeat: int = 0) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec, "status": {"heartbeat": heartbeat}}


def test_only_what_is_kept_counts_as_a_change() -> None:
    seen = Observed()
    assert note(TOPIC, seen, Listed([thing("a", "x"), thing("b", None)]))
    assert seen.kept == {"/a": "x"}
    assert not note(TOPIC, seen, Changed(thing("a", "x", heartbeat=1)))
    assert not note(TOPIC, seen, Changed(thing("b", None, heartbeat=1)))
    assert not note(TOPIC, seen, Deleted(thing("b", None)))
    assert not note(TOPIC, seen, Alive())
    assert note(TOPIC, seen, Changed(thing("a", "y")))
    assert note(TOPIC, seen, Deleted(thing("a", "y")))
    assert seen.kept == {}


def test_listing_again_forgets_what_vanished() -> None:
    seen = Observed()
    note(TOPIC, seen, Listed([thing("a", "x"), thing("b", "y")]))
    assert note(TOPIC, seen, Listed([thing("b", "y")]))
    assert not note(TOPIC, seen, Listed([thing("b", "y")]))
    assert seen.kept == {"/b": "y"}


def test_a_failure_keeps_what_was_known_and_says_why() -> None:
    seen = Observed()
    note(TOPIC, seen, Listed([thing("a", "x")]))
    assert note(TOPIC, seen, Failed(ApiForbiddenError("no role")))
    assert not note(TOPIC, seen, Failed(ApiForbiddenError("no role")))
    assert seen.kept == {"/a": "x"}
    assert seen.lacks(TOPIC) == "no role"
    assert note(TOPIC, seen, Listed([thing("a", "x")]))
    assert seen.error == ""


def test_a_kind_that_goes_takes_everything_along() -> None:
    seen = Observed()
    note(TOPIC, seen, Listed([thing("a", "x")]))
    assert note(TOPIC, seen, Absent())
    assert not note(TOPIC, seen, Absent())
    assert (seen.kept, seen.served, seen.known) == ({}, False, True)
