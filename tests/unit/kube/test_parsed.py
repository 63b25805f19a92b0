"""An answer of the API server is read as Python's own JSON parser reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.errors import ApiUnavailableError
from spidercoordinator.kube.failure import parsed
from spidercoordinator.runtime.recursion import allow_deep_objects

STORED = st.integers(-(2**63), 2**64 - 1)
"""Whole numbers that the API server keeps as such."""
TEXTS = st.text(st.characters(exclude_categories=()))
"""Also halves of surrogate pairs: JSON can escape what UTF-8 cannot have."""
VALUES = st.recursive(
    st.none() | st.booleans() | STORED | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=10,
)


@given(st.dictionaries(TEXTS, VALUES), st.booleans())
def test_it_is_what_was_written(written: dict[str, Any], escaped: bool) -> None:
    text = json.dumps(written, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    try:
        expected = json.loads(text)
    except UnicodeDecodeError:
        with pytest.raises(ApiUnavailableError, match="is no JSON"):
            parsed(text, "get x")
    else:
        assert repr(parsed(text, "get x")) == repr(expected)


@pytest.mark.parametrize("levels", [10, 1_000, 10_000])
def test_depth_does_not_matter(levels: int) -> None:
    allow_deep_objects()
    text = b'{"a":' * levels + b"{}" + b"}" * levels
    found, depth = parsed(text, "get x"), 0
    while found:
        found, depth = found["a"], depth + 1
    assert depth == levels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"<html>", "get x: the answer is no JSON"),
        (b"", "get x: the answer is no JSON"),
        (b'{"a": 1', "get x: the answer is no JSON"),
        (b"[1]", "get x: the answer is no object: \\[1\\]"),
        (b"null", "get x: the answer is no object: null"),
    ],
)
def test_what_is_no_object_is_no_answer(text: bytes, message: str) -> None:
    with pytest.raises(ApiUnavailableError, match=message):
        parsed(text, "get x")
