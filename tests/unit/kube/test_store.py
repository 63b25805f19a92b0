"""A store under every order of watch events and answers, deletions included."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from spidercoordinator.kube.store import Answered, Store

NAME = ("default", "net")


def nad(version: int, name: str = "net", **annotations: str) -> dict[str, Any]:
    meta = {"namespace": "default", "name": name, "resourceVersion": str(version)}
    return {"metadata": meta | {"annotations": annotations}}


@pytest.fixture
def calls() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def store(calls: list[tuple[str, str]]) -> Store:
    def version(given: dict[str, Any] | None) -> str:
        return given["metadata"]["resourceVersion"] if given else ""

    made = Store()
    made.add_event_handler(lambda _, before, after: calls.append((version(before), version(after))))
    return made


def test_the_answer_shows_before_the_watch_tells(store: Store, calls: list[Any]) -> None:
    with store.write(NAME) as answered:
        answered(nad(5))
    assert store.version(NAME) == "5"
    store.observe(nad(5))
    assert calls == [], "an own write starts no reconcile"


def test_an_answer_after_the_deletion_was_told_is_passed_over(store: Store) -> None:
    with store.write(NAME) as answered:
        store.observe(nad(5))
        store.observe_deletion(nad(6))
        answered(nad(5))
    assert NAME not in store


def test_an_answer_between_creation_and_deletion_goes_with_the_deletion(store: Store) -> None:
    with store.write(NAME) as answered:
        store.observe(nad(5))
        answered(nad(5))
        store.observe_deletion(nad(6))
    assert NAME not in store


def test_an_answer_before_both_events_goes_with_the_deletion(store: Store) -> None:
    with store.write(NAME) as answered:
        answered(nad(5))
        store.observe(nad(5))
        store.observe_deletion(nad(6))
    assert NAME not in store


def test_an_answer_after_a_list_without_the_object_is_passed_over(store: Store) -> None:
    with store.write(NAME) as answered:
        store.replace([], "6")
        answered(nad(5))
    assert NAME not in store


def test_a_list_that_is_older_than_an_own_write_leaves_it(store: Store) -> None:
    with store.write(NAME) as answered:
        answered(nad(5))
    store.replace([], "4")
    assert store.version(NAME) == "5"
    store.replace([], "6")
    assert NAME not in store


def test_an_answer_of_a_deleted_predecessor_does_not_replace_the_successor(store: Store) -> None:
    with store.write(NAME) as answered:
        store.observe(nad(8))
        answered(nad(5))
    assert store.version(NAME) == "8"


def test_a_late_deletion_leaves_the_object_that_was_made_anew(store: Store) -> None:
    store.observe(nad(8))
    store.observe_deletion(nad(6))
    assert store.version(NAME) == "8"


def test_a_change_of_others_that_an_answer_brings_along_is_told(
    store: Store, calls: list[tuple[str, str]]
) -> None:
    store.observe(nad(4))
    with store.write(NAME) as answered:
        answered(nad(6, adopt="gone"))
    store.observe(nad(5, adopt="gone"))
    store.observe(nad(6, adopt="gone"))
    assert calls == [("", "4"), ("6", "6")]


def test_two_own_writes_in_a_row_start_nothing(store: Store, calls: list[Any]) -> None:
    for version in (5, 6):
        with store.write(NAME) as answered:
            answered(nad(version))
    store.observe(nad(5))
    store.observe(nad(6))
    assert calls == []


def test_what_was_written_starts_nothing_when_the_watch_is_quicker_than_the_answer(
    store: Store, calls: list[Any]
) -> None:
    with store.write(NAME) as answered:
        store.observe(nad(5))
        assert store.version(NAME) == "5"
        answered(nad(5))
    assert calls == []


def test_a_change_of_others_while_a_write_is_in_flight_is_told_at_its_end(
    store: Store, calls: list[tuple[str, str]]
) -> None:
    store.observe(nad(4))
    with store.write(NAME) as answered:
        store.observe(nad(5, by="others"))
        store.observe(nad(6))
        answered(nad(6))
        assert calls == [("", "4")]
    assert calls == [("", "4"), ("4", "6")]


def test_what_the_watch_delivered_during_a_write_without_answer_is_told(
    store: Store, calls: list[tuple[str, str]]
) -> None:
    with store.write(NAME):
        store.observe(nad(5))
    assert calls == [("", "5")]


def test_a_deletion_while_a_write_is_in_flight_is_told_after_what_was_before_it(
    store: Store, calls: list[tuple[str, str]]
) -> None:
    store.observe(nad(4))
    with store.write(NAME) as answered:
        store.observe(nad(5))
        store.observe_deletion(nad(6))
        answered(nad(5))
    assert calls == [("", "4"), ("4", "5"), ("5", "")]


def test_versions_that_are_no_numbers_are_the_watch_s_alone(store: Store) -> None:
    odd = nad(0)
    odd["metadata"]["resourceVersion"] = "abc"
    with store.write(NAME) as answered:
        answered(odd)
        assert NAME not in store
    store.observe(odd)
    assert store.version(NAME) == "abc"


def test_a_list_after_a_restore_of_etcd_wins_over_newer_versions(store: Store) -> None:
    store.observe(nad(100))
    store.replace([nad(7)], "9")
    assert store.version(NAME) == "7"


@pytest.mark.parametrize("answers", [(6,), (6, 7)])
@pytest.mark.parametrize("listed", [6, 7])
@pytest.mark.parametrize("whole", [True, False], ids=["whole list", "one by one"])
def test_a_change_of_others_that_an_answer_brought_along_is_told_of_by_a_list(
    store: Store, calls: list[tuple[str, str]], answers: tuple[int, ...], listed: int, whole: bool
) -> None:
    # 5 is somebody else's, and in no event: the watch broke after 4.
    store.observe(nad(4))
    for version in answers:
        with store.write(NAME) as answered:
            answered(nad(version))
    if whole:
        store.replace([nad(listed)], str(listed))
    else:
        store.observe_listed(nad(listed))
    assert len(calls) == 2
    assert calls[1][1] == str(max(listed, *answers))


@pytest.mark.parametrize("whole", [True, False], ids=["whole list", "one by one"])
def test_a_change_of_others_before_a_write_in_flight_is_told_of_by_a_list(
    store: Store, calls: list[tuple[str, str]], whole: bool
) -> None:
    store.observe(nad(4))
    with store.write(NAME) as answered:
        if whole:
            store.replace([nad(6)], "6")
        else:
            store.observe_listed(nad(6))
        answered(nad(6))
    assert calls == [("", "4"), ("4", "6")]


def test_a_list_that_shows_what_is_known_starts_nothing(
    store: Store, calls: list[tuple[str, str]]
) -> None:
    store.observe(nad(4))
    with store.write(NAME) as answered:
        answered(nad(5))
    store.observe(nad(5))
    store.replace([nad(5)], "6")
    store.observe_listed(nad(5))
    assert calls == [("", "4")]


@dataclass
class Write:
    """A request that is on its way, or whose answer is."""

    scope: AbstractContextManager[Answered]
    answered: Answered
    answer: dict[str, Any] | None = None
    told: bool = False


@dataclass
class Watch:
    """Events in the order of the API server; some of them have been told."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    told: int = 0


class Interleavings(RuleBasedStateMachine):
    """One object on an API server, writes of ours and of others, lists, and a slow watch."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.store.add_event_handler(self._told_of)
        self.owed = False
        self.foreign: set[str] = set()
        self.revision = 0
        self.current: dict[str, Any] | None = None
        self.watch = Watch()
        self.writes: list[Write] = []

    def _told_of(self, *_: object) -> None:
        self.owed = False

    def _change(self, *, gone: bool = False) -> dict[str, Any]:
        self.revision += 1
        given = nad(self.revision)
        kind = "DELETED" if gone else "MODIFIED" if self.current else "ADDED"
        self.current = None if gone else given
        self.watch.events.append((kind, given))
        return given

    @rule()
    def begin_a_write(self) -> None:
        scope = self.store.write(NAME)
        self.writes.append(Write(scope, scope.__enter__()))

    @precondition(lambda self: any(each.answer is None for each in self.writes))
    @rule()
    def the_server_grants_it(self) -> None:
        write = next(each for each in self.writes if each.answer is None)
        write.answer = self._change()

    @precondition(lambda self: any(each.answer is not None for each in self.writes))
    @rule(data=st.data())
    def the_answer_arrives(self, data: st.DataObject) -> None:
        granted = [each for each in self.writes if each.answer is not None]
        write = data.draw(st.sampled_from(granted))
        assert write.answer is not None
        write.answered(write.answer)
        write.scope.__exit__(None, None, None)
        self.writes.remove(write)

    @rule()
    def others_write(self) -> None:
        self.foreign.add(self._change()["metadata"]["resourceVersion"])

    @precondition(lambda self: self.current is not None)
    @rule()
    def others_delete(self) -> None:
        self._change(gone=True)

    @precondition(lambda self: self.watch.told < len(self.watch.events))
    @rule()
    def the_watch_tells(self) -> None:
        kind, given = self.watch.events[self.watch.told]
        self.watch.told += 1
        # A write of others must come to the handlers' knowledge, now or when our writes end.
        self.owed |= given["metadata"]["resourceVersion"] in self.foreign
        if kind == "DELETED":
            self.store.observe_deletion(given)
        else:
            self.store.observe(given)

    @rule(data=st.data(), whole=st.booleans())
    def the_watch_breaks_and_lists(self, data: st.DataObject, whole: bool) -> None:
        passed_over = data.draw(st.integers(0, len(self.watch.events) - self.watch.told))
        events = self.watch.events[self.watch.told :][:passed_over]
        self.watch.told += passed_over
        kind, given = self.watch.events[self.watch.told - 1] if self.watch.told else ("DELETED", {})
        if kind != "DELETED":
            versions = {each["metadata"]["resourceVersion"] for _, each in events}
            self.owed |= not versions.isdisjoint(self.foreign)
        listed = [] if kind == "DELETED" else [given]
        if whole or not listed:
            self.store.replace(listed, given["metadata"]["resourceVersion"] if given else "0")
        else:
            self.store.observe_listed(given)

    @invariant()
    def nothing_is_older_than_what_the_watch_told(self) -> None:
        told = self.watch.events[: self.watch.told]
        if not told:
            return
        kind, given = told[-1]
        last = int(given["metadata"]["resourceVersion"])
        version = self.store.version(NAME)
        if version:
            assert int(version) >= last
        if kind == "DELETED" and version:
            assert int(version) > last

    @override
    def teardown(self) -> None:
        for write in self.writes:
            if write.answer is not None:
                write.answered(write.answer)
            write.scope.__exit__(None, None, None)
        while self.watch.told < len(self.watch.events):
            self.the_watch_tells()
        expected = str(self.current["metadata"]["resourceVersion"]) if self.current else ""
        assert self.store.version(NAME) == expected
        assert not self.owed


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
