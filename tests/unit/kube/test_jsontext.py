"""What is written is what Python's own JSON writer would have written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.kube.jsontext import dumps
from spidercoordinator.runtime.recursion import allow_deep_objects

TEXTS = st.text(st.characters(exclude_categories=()))
"""Also halves of surrogate pairs, which an object of the API server can have."""
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=10,
)


@given(VALUES)
def test_it_reads_back_as_pythons_own(value: Any) -> None:
    assert json.loads(dumps(value)) == json.loads(json.dumps(value))


@pytest.mark.parametrize("levels", [10, 1_000, 10_000])
def test_depth_does_not_matter(levels: int) -> None:
    allow_deep_objects()
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    assert dumps(value).replace(b" ", b"") == b'{"a":' * levels + b"{}" + b"}" * levels
