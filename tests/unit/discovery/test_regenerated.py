"""Which CRDs have another spec, by what a watch of them delivers."""

from __future__ import annotations

import pytest

from spidercoordinator.discovery.crds import regenerated
from spidercoordinator.kube.reflector import (
    Bookmark,
    Deleted,
    NotServed,
    Replaced,
    Updated,
    WatchEvent,
)
from spidercoordinator.kube.resource import Object

KNOWN = {"a.example.org": 1, "b.example.org": 4}


def crd(name: str, generation: int) -> Object:
    return {"metadata": {"name": name, "generation": generation}}


@pytest.mark.parametrize(
    ("event", "changed", "known"),
    [
        (Updated(crd("a.example.org", 2)), ["a.example.org"], KNOWN | {"a.example.org": 2}),
        (Updated(crd("a.example.org", 1)), [], KNOWN),
        (Updated(crd("c.example.org", 7)), [], KNOWN | {"c.example.org": 7}),
        (Deleted(crd("a.example.org", 2)), [], {"b.example.org": 4}),
        (Deleted(crd("c.example.org", 2)), [], KNOWN),
        (
            Replaced([crd("b.example.org", 5), crd("c.example.org", 1)]),
            ["b.example.org"],
            {"b.example.org": 5, "c.example.org": 1},
        ),
        (Replaced([]), [], {}),
        (Bookmark(), [], KNOWN),
        (NotServed(), [], KNOWN),
    ],
    ids=repr,
)
def test_regenerated(event: WatchEvent, changed: list[str], known: dict[str, int]) -> None:
    generations = dict(KNOWN)
    assert regenerated(generations, event) == changed
    assert generations == known


def test_a_crd_that_is_made_anew_is_none_that_changed() -> None:
    generations = dict(KNOWN)
    regenerated(generations, Deleted(crd("b.example.org", 4)))
    assert regenerated(generations, Updated(crd("b.example.org", 1))) == []
