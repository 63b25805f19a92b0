"""An answer that is something else than what was asked for is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spidercoordinator.errors import ApiUnavailableError
from spidercoordinator.kube.answers import DELETED, GROUPS, KINDS, Expected, many, one
from spidercoordinator.kube.resource import SERVICES, SPIDERMULTUSCONFIGS

NET = one(SPIDERMULTUSCONFIGS, "net")
NETS = many(SPIDERMULTUSCONFIGS)
CASES: list[tuple[Expected, dict[str, Any], bool]] = [
    (NET, {"kind": "SpiderMultusConfig", "metadata": {"name": "net"}}, True),
    (NET, {"metadata": {"name": "net"}}, True),
    (NET, {"kind": "SpiderMultusConfig", "metadata": {"name": "other"}}, False),
    (NET, {"kind": "Status", "metadata": {}}, False),
    (NET, {"kind": "SpiderMultusConfig", "metadata": None}, False),
    (NET, {}, False),
    (one(SERVICES, ""), {"kind": "Service", "metadata": {"name": "a-x7k2p"}}, True),
    (one(SERVICES, ""), {"kind": "Status", "metadata": {}}, False),
    (NETS, {"items": [], "metadata": {"resourceVersion": "7"}}, True),
    (NETS, {"items": None}, True),
    (NETS, {"items": [], "metadata": []}, False),
    (NETS, {"kind": "Status", "metadata": {}}, False),
    (NETS, {}, False),
    (DELETED, {"kind": "Status", "status": "Success"}, True),
    (DELETED, {"metadata": {"name": "net"}}, True),
    (DELETED, {"ok": True}, False),
    (KINDS, {"resources": []}, True),
    (KINDS, {"groups": []}, False),
    (GROUPS, {"groups": []}, True),
    (GROUPS, {"resources": []}, False),
]


@pytest.mark.parametrize(("expected", "answer", "holds"), CASES, ids=range(len(CASES)))
def test_an_answer(expected: Expected, answer: dict[str, Any], holds: bool) -> None:
    text = json.dumps(answer).encode()
    if holds:
        assert expected.read(text, "get x") == answer
    else:
        with pytest.raises(ApiUnavailableError, match=f"get x: the answer is no {expected.what}"):
            expected.read(text, "get x")
