"""Of objects that are mostly bulk only the named parts are parsed, and nothing else changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.kube.parts import event_loads, list_loads

PARTS = ("spec.cidr", "status.addresses", "status.deep.er")
NODE: dict[str, Any] = {
    "apiVersion": "v1",
    "metadata": {
        "name": "a",
        "labels": {"x": "y"},
        "annotations": {"k": "v"},
        "resourceVersion": "7",
        "managedFields": [{"fieldsV1": {"f:spec": {}}}],
    },
    "spec": {"cidr": "10.0.0.0/24", "taints": [{"key": "x"}]},
    "status": {"addresses": [{"type": "InternalIP"}], "images": [{}], "deep": {"er": 1, "up": 2}},
}
LEFT: dict[str, Any] = {
    "metadata": {
        "name": "a",
        "labels": {"x": "y"},
        "annotations": {"k": "v"},
        "resourceVersion": "7",
    },
    "spec": {"cidr": "10.0.0.0/24"},
    "status": {"addresses": [{"type": "InternalIP"}], "deep": {"er": 1}},
}


def text(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_the_named_parts_of_a_list_are_parsed() -> None:
    meta = {"resourceVersion": "9", "continue": "x", "remainingItemCount": 3}
    answer = list_loads(PARTS)(text({"kind": "NodeList", "metadata": meta, "items": [NODE, {}]}))
    assert answer == {"metadata": meta, "items": [LEFT, {}]}


def test_the_named_parts_of_an_event_are_parsed() -> None:
    event = event_loads(PARTS)(text({"type": "MODIFIED", "object": NODE}))
    assert event == {"type": "MODIFIED", "object": LEFT}


def test_a_watch_that_fails_says_why() -> None:
    status = {"kind": "Status", "metadata": {}, "code": 410, "message": "too old", "reason": "Gone"}
    event = event_loads(PARTS)(text({"type": "ERROR", "object": status}))
    assert event["object"] == {key: status[key] for key in status if key != "kind"}


@pytest.mark.parametrize("odd", [None, [], "x", 1], ids=repr)
@pytest.mark.parametrize("at", ["metadata", "spec", "status"])
@pytest.mark.parametrize(
    ("loads", "wrap"),
    [
        (list_loads(PARTS), lambda given: {"items": [given]}),
        (event_loads(PARTS), lambda given: {"type": "ADDED", "object": given}),
    ],
    ids=["list", "event"],
)
def test_what_is_shaped_otherwise_is_parsed_as_it_is(
    loads: Callable[[bytes], Any], wrap: Callable[[Any], Any], at: str, odd: object
) -> None:
    whole = wrap({**NODE, at: odd})
    assert loads(text(whole)) == whole


@pytest.mark.parametrize("answer", [[], None, "x", {"items": None}, {"items": {}}], ids=repr)
def test_what_is_no_list_is_parsed_as_it_is(answer: object) -> None:
    assert list_loads(PARTS)(text(answer)) == answer


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["spec", "cidr", "status", "deep", "er"]), inner)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["spec", "status", "metadata", "x"]), JSON), st.booleans())
def test_nothing_of_the_named_parts_is_lost(whole: dict[str, Any], escaped: bool) -> None:
    written = json.dumps({"items": [whole]}, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    [parsed] = list_loads(PARTS)(written)["items"]
    for path in PARTS:
        assert at(parsed, path) == at(whole, path)


def at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
