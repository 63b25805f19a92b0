"""Parsing a list starts no collection of garbage, and garbage is collected all the same."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Iterator

import pytest

from spidercoordinator.kube.failure import parsed
from spidercoordinator.runtime.garbagecollection import collect_seldom

ITEMS = [{"metadata": {"labels": {"a": "b"}, "owners": [{}]}} for _ in range(2_000)]
PAGE = json.dumps({"items": ITEMS}).encode()


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def collections_of_a_page() -> int:
    """How many collections there are while a page is parsed."""
    gc.collect()
    before = started()
    page = parsed(PAGE, "list x")
    assert len(page["items"]) == len(ITEMS)
    return started() - before


def started() -> int:
    """How many collections there have been, of all generations."""
    return sum(int(each["collections"]) for each in gc.get_stats())


def test_a_page_of_a_list_starts_none() -> None:
    assert collections_of_a_page() > 10
    collect_seldom()
    assert collections_of_a_page() == 0


class Node:
    """Part of a cycle."""

    def __init__(self) -> None:
        self.itself = self


def test_cycles_are_collected_still() -> None:
    collect_seldom()
    first = weakref.ref(Node())
    for _ in range(200_000):
        Node()
    assert first() is None
