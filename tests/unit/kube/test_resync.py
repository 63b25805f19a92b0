"""What a list says of a store, told apart from what changed while it was made."""

from __future__ import annotations

import pytest

from spidercoordinator.kube.resync import differences

A, B = ("default", "a"), ("default", "b")


@pytest.mark.parametrize(
    ("before", "now", "listed", "vanished", "outdated"),
    [
        pytest.param({A: "1"}, {A: "1"}, {A: "1"}, set(), set(), id="in sync"),
        pytest.param({A: "1"}, {A: "1"}, {}, {A}, set(), id="vanished"),
        pytest.param({A: "1"}, {A: "1"}, {A: "2"}, set(), {A}, id="changed"),
        pytest.param({A: "2"}, {A: "2"}, {A: "1"}, set(), {A}, id="older after a restore"),
        pytest.param({}, {}, {A: "1"}, set(), {A}, id="new"),
        pytest.param({A: "1"}, {A: "2"}, {A: "1"}, set(), set(), id="changed during the list"),
        pytest.param({}, {A: "2"}, {}, set(), set(), id="made during the list"),
        pytest.param({A: "1"}, {}, {A: "1"}, set(), set(), id="deleted during the list"),
        pytest.param({A: "1", B: "1"}, {A: "1", B: "1"}, {B: "3"}, {A}, {B}, id="both"),
    ],
)
def test_differences(
    before: dict[tuple[str, str], str],
    now: dict[tuple[str, str], str],
    listed: dict[tuple[str, str], str],
    vanished: set[tuple[str, str]],
    outdated: set[tuple[str, str]],
) -> None:
    found = differences(before, now, listed, "9")
    assert found.vanished == vanished
    assert found.outdated == outdated
