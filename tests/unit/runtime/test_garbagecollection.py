"""Parsing a list starts no collection of garbage, and garbage is collected all the same."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Callable, Iterator

import pytest

from spidercoordinator.kube.failure import parsed
from spidercoordinator.runtime.garbagecollection import collect_hardly, collect_seldom

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


@pytest.mark.parametrize("collect", [collect_hardly, collect_seldom])
def test_a_page_of_a_list_starts_none(collect: Callable[[], None]) -> None:
    assert collections_of_a_page() > 10
    collect()
    assert collections_of_a_page() == 0


class Node:
    """Part of a cycle."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize(
    ("collect", "within"), [(collect_hardly, 1_000_000), (collect_seldom, 100_000)]
)
def test_cycles_are_collected_still(collect: Callable[[], None], within: int) -> None:
    collect_hardly()
    collect()
    first = weakref.ref(Node())
    for _ in range(within):
        Node()
    assert first() is None
