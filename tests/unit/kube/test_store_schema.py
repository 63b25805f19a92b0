"""A store while the schema of its kind changes: an object reads otherwise and nobody wrote it."""

from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.store import Store

NAME = ("default", "net")
Calls = list[tuple[str, str]]
"""Versions before and after, as an event handler is told."""


def with_spec(version: int, spec: dict[str, Any]) -> Object:
    meta = {"namespace": "default", "name": "net", "resourceVersion": str(version)}
    return {"metadata": meta | {"generation": 1}, "spec": spec}


@pytest.fixture
def calls() -> Calls:
    return []


@pytest.fixture
def store(calls: Calls) -> Store:
    def version(given: Object | None) -> str:
        return given["metadata"]["resourceVersion"] if given else ""

    made = Store()
    made.add_event_handler(lambda _, before, after: calls.append((version(before), version(after))))
    return made


def test_an_answer_that_reads_otherwise_by_another_schema_is_told(
    store: Store, calls: Calls
) -> None:
    pruned, whole = with_spec(4, {}), with_spec(5, {"announce": False})
    store.observe(pruned)
    with store.write(NAME) as answered:
        answered(whole)
    store.observe(with_spec(5, {}))
    assert calls == [("", "4"), ("4", "5")]
    assert store[NAME] == whole


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        (("4", {"announce": False}), [("4", "4")]),
        (("4", {}), []),
        (("5", {}), [("4", "5")]),
        (("3", {"announce": False}), []),
    ],
    ids=["reads otherwise", "reads the same", "newer", "older"],
)
def test_a_list_after_a_change_of_the_schema(
    store: Store,
    calls: Calls,
    listed: tuple[str, dict[str, Any]],
    told: Calls,
) -> None:
    store.observe(with_spec(4, {}))
    calls.clear()
    store.observe_schema(with_spec(int(listed[0]), listed[1]))
    assert calls == told
    if told:
        assert store[NAME]["spec"] == listed[1]


def test_a_list_after_a_change_of_the_schema_brings_nothing_back(
    store: Store, calls: Calls
) -> None:
    store.observe(with_spec(4, {}))
    store.observe_deletion(with_spec(5, {}))
    store.observe_schema(with_spec(4, {"announce": False}))
    assert NAME not in store
    assert calls == [("", "4"), ("4", "")]
