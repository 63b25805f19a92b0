"""What is entries of watched objects while their watch goes on."""

from __future__ import annotations

from typing import Any

from spidercoordinator.discovery.informers import update_observation
from spidercoordinator.discovery.source import Observation, ReadState, WatchedObjects
from spidercoordinator.errors import ApiForbiddenError, ApiUnavailableError
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


def listed(*objects: dict[str, Any]) -> Replaced:
    """A list as a reflector yields it."""
    return Replaced([WATCHED.read(each) for each in objects])


def test_only_what_is_extracted_counts_as_a_change() -> None:
    observation = Observation()
    assert update_observation(WATCHED, observation, listed(obj("a", "x"), obj("b", None)))
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
    update_observation(WATCHED, observation, listed(obj("a", "x"), obj("b", "y")))
    assert update_observation(WATCHED, observation, listed(obj("b", "y")))
    assert not update_observation(WATCHED, observation, listed(obj("b", "y")))
    assert observation.entries == {"/b": "y"}


def test_a_failure_keeps_the_entries_and_names_the_error() -> None:
    observation = Observation()
    update_observation(WATCHED, observation, listed(obj("a", "x")))
    assert update_observation(WATCHED, observation, WatchFailed(ApiForbiddenError("no role")))
    assert not update_observation(WATCHED, observation, WatchFailed(ApiForbiddenError("no role")))
    assert (observation.entries, observation.state) == ({"/a": "x"}, ReadState.FAILED)
    assert not observation.readable
    assert observation.unread(WATCHED) == "may not list nodes: no role"
    assert update_observation(WATCHED, observation, Bookmark())
    assert (observation.state, observation.unread(WATCHED)) == (ReadState.READ, "")


def test_one_lost_connection_is_no_failure_and_two_in_a_row_are() -> None:
    observation, lost = Observation(), WatchFailed(ApiUnavailableError("no answer"))
    update_observation(WATCHED, observation, listed(obj("a", "x")))
    assert not update_observation(WATCHED, observation, lost)
    assert not update_observation(WATCHED, observation, Bookmark())
    assert not update_observation(WATCHED, observation, lost)
    assert update_observation(WATCHED, observation, lost)
    assert observation.unread(WATCHED) == "no answer"


def test_a_first_list_that_fails_is_unread_at_once() -> None:
    observation = Observation()
    assert observation.unread(WATCHED) == "Node: not read yet"
    assert not Observation().synced
    assert update_observation(WATCHED, observation, WatchFailed(ApiUnavailableError("HTTP 503")))
    assert observation.synced
    assert observation.why_empty(WATCHED) == "HTTP 503"


def test_absent_is_neither_unread_nor_unserved() -> None:
    observation = Observation()
    update_observation(WATCHED, observation, Replaced([]))
    assert (observation.unread(WATCHED), observation.why_empty(WATCHED)) == ("", "there is no Node")
    update_observation(WATCHED, observation, NotServed())
    assert (observation.unread(WATCHED), observation.why_empty(WATCHED)) == (
        "",
        "the API server has no nodes",
    )


def test_a_kind_that_goes_takes_its_entries_along() -> None:
    observation = Observation()
    update_observation(WATCHED, observation, listed(obj("a", "x")))
    assert (observation.readable, observation.count) == (True, 1)
    assert update_observation(WATCHED, observation, NotServed())
    assert not update_observation(WATCHED, observation, NotServed())
    assert (observation.entries, observation.state) == ({}, ReadState.NOT_SERVED)
    assert (observation.readable, observation.count) == (True, 0)
