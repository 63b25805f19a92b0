"""What is entries of watched objects while their watch goes on."""

from __future__ import annotations

from typing import Any

from spidercoordinator.discovery.informers import update_observation
from spidercoordinator.discovery.source import Observation, WatchedObjects
from spidercoordinator.errors import ApiForbiddenError
from spidercoordinator.kube.reflector import (
    Bookmark,
    Deleted,
    NotServed,
    Replaced,
    Selection,
    Updated,
    WatchFailed,
)
from spidercoordinator.kube.resource import NODES

WATCHED = WatchedObjects("Node", Selection((NODES,)), lambda obj: obj.get("spec"))


def obj(name: str, spec: str | None, heartbeat: int = 0) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec, "status": {"heartbeat": heartbeat}}


def test_only_what_is_extracted_counts_as_a_change() -> None:
    observation = Observation()
    assert update_observation(WATCHED, observation, Replaced([obj("a", "x"), obj("b", None)]))
    assert observation.entries == {"/a": "x"}
    assert not update_observation(WATCHED, observation, Updated(obj("a", "x", heartbeat=1)))
    assert not update_observation(WATCHED, observation, Updated(obj("b", None, heartbeat=1)))
    assert not update_observation(WATCHED, observation, Deleted(obj("b", None)))
    assert not update_observation(WATCHED, observation, Bookmark())
    assert update_observation(WATCHED, observation, Updated(obj("a", "y")))
    assert update_observation(WATCHED, observation, Deleted(obj("a", "y")))
    assert observation.entries == {}


def test_listing_again_drops_what_vanished() -> None:
    observation = Observation()
    update_observation(WATCHED, observation, Replaced([obj("a", "x"), obj("b", "y")]))
    assert update_observation(WATCHED, observation, Replaced([obj("b", "y")]))
    assert not update_observation(WATCHED, observation, Replaced([obj("b", "y")]))
    assert observation.entries == {"/b": "y"}


def test_a_failure_keeps_the_entries_and_names_the_error() -> None:
    observation = Observation()
    update_observation(WATCHED, observation, Replaced([obj("a", "x")]))
    assert update_observation(WATCHED, observation, WatchFailed(ApiForbiddenError("no role")))
    assert not update_observation(WATCHED, observation, WatchFailed(ApiForbiddenError("no role")))
    assert observation.entries == {"/a": "x"}
    assert observation.why_empty(WATCHED) == "no role"
    assert update_observation(WATCHED, observation, Replaced([obj("a", "x")]))
    assert observation.error == ""


def test_a_kind_that_goes_takes_its_entries_along() -> None:
    observation = Observation()
    update_observation(WATCHED, observation, Replaced([obj("a", "x")]))
    assert update_observation(WATCHED, observation, NotServed())
    assert not update_observation(WATCHED, observation, NotServed())
    assert (observation.entries, observation.served, observation.synced) == ({}, False, True)
