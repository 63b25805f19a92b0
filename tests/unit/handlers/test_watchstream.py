"""What kopf gets of a watch, whatever comes in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spidercoordinator.handlers.watchstream import obstacle

GOOD = {"type": "ADDED", "object": {"metadata": {"name": "a", "resourceVersion": "1"}}}
BOOKMARK = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "1"}}}


@pytest.mark.parametrize("event", [GOOD, BOOKMARK])
def test_events_are_let_through(event: dict[str, Any]) -> None:
    assert obstacle(json.dumps(event).encode()) is None


def test_a_version_that_is_gone_is_no_failure() -> None:
    assert obstacle(b'{"type": "ERROR", "object": {"code": 410}}') == ""


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"type": "ERROR", "object": {"code": 500, "message": "etcd"}}', "an error: etcd"),
        (b'{"type": "ERROR", "object": {}}', "an error: {}"),
        (b'{"type": "ERROR", "object": {"code": "410"}}', "an error"),
        (b'{"type": "ERROR"}', "no event"),
        (b'{"type": "ADDED", "object": {"metada', "no JSON"),
        (b"<html></html>", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"{}", "no event"),
        (b"[]", "no event"),
        (b"null", "no event"),
        (b'"text"', "no event"),
        (b'{"type": "ADDED", "object": {}}', "without a name"),
        (b'{"type": "ADDED", "object": {"metadata": {"name": 1}}}', "without a name"),
        (b'{"type": "BOOKMARK", "object": {"metadata": []}}', "without a name"),
    ],
)
def test_all_else_is_an_obstacle(line: bytes, why: str) -> None:
    assert why in (obstacle(line) or "")
