"""Objects that are nested deep: cut where they come in, refused where they are used."""

from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.api.nesting import DEEPEST, cut, is_too_deep
from spidercoordinator.core.network.validation import find_problems
from spidercoordinator.reconcilers.trimming import trim


def nested(levels: int, *, as_list: bool = False) -> Any:
    value: Any = [] if as_list else {}
    for _ in range(levels - 1):
        value = [value] if as_list else {"a": value}
    return value


@pytest.mark.parametrize("as_list", [True, False])
def test_depth_is_measured_and_cut_at_any_depth(*, as_list: bool) -> None:
    assert not is_too_deep(nested(DEEPEST, as_list=as_list))
    for levels in (DEEPEST + 1, 10 * DEEPEST, 50_000):
        value = nested(levels, as_list=as_list)
        assert is_too_deep(value)
        assert is_too_deep(cut(value))


def test_what_is_allowed_is_not_cut() -> None:
    value = {"a": [1, "x", None, nested(DEEPEST)], "b": True}
    assert cut(value) == value


def test_a_store_keeps_what_a_cut_leaves() -> None:
    for as_list in (True, False):
        thing = {"metadata": {"name": "a"}, "spec": nested(9_990, as_list=as_list)}
        assert trim(thing) == cut(thing)


def network(ipam: Any) -> dict[str, Any]:
    spec = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}, "ipam": ipam}
    return {"metadata": {"name": "a", "namespace": "b"}, "spec": spec}


def test_an_ipam_object_may_be_as_deep_as_a_store_keeps_it() -> None:
    assert list(find_problems(network({"type": "x", "deep": nested(DEEPEST - 1)}))) == []
    for levels in (DEEPEST, 9_990):
        [problem] = find_problems(trim(network({"type": "x", "deep": nested(levels)})))
        assert problem.field == "spec.ipam"
        assert "at most 100" in problem.message
