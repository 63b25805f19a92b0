"""What others than the API server send to the webhook, and reviews of the largest objects."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
from typing import Any

import pytest

from spidercoordinator.errors import ApiInvalidError
from tests.apiserver.harness import Operator
from tests.apiserver.networks import Networks
from tests.apiserver.webhook.conftest import BAD

GROUP = {"group": "spiderpool.spidernet.io", "version": "v2beta1"}


def review(**request: Any) -> bytes:
    given = {"uid": "1", "operation": "CREATE", "userInfo": {"username": "x"}, **request}
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "request": given}).encode()


PODS = {"kind": {"kind": "Pod"}, "resource": {"group": "", "version": "v1", "resource": "pods"}}
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"<html>",
    "no text": b"\xff\xfe",
    "a list": b"[]",
    "null": b"null",
    "a number": b"1" * 400,
    "no request": b"{}",
    "request of another form": b'{"request": []}',
    "deep": b"[" * 50_000,
    "deeper": b'{"request":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "another kind": review(**PODS, object={}),
    "no resource": review(kind={"kind": "Odd"}),
    "no user": review(**PODS, userInfo=None),
}


def post(port: int, body: bytes) -> int:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    with contextlib.closing(connection):
        connection.request("POST", "/validate-network", body)
        return connection.getresponse().status


def failures(webhook: Operator) -> list[str]:
    """The samples of reviews that failed, and of unexpected errors."""
    lines = webhook.get("/metrics")[1].splitlines()
    return [each for each in lines if 'result="failed"' in each or "unexpected_errors" in each]


@pytest.mark.parametrize("kind", BODIES)
async def test_what_is_no_review_of_our_kinds_is_answered_so_and_leaves_no_trace(
    networks: Networks, webhook: Operator, port: int, kind: str
) -> None:
    assert networks
    log, before = webhook.text().count("\n"), failures(webhook)
    assert post(port, BODIES[kind]) in {400, 404}
    told = webhook.text().splitlines()[log:]
    assert [line for line in told if " INFO " not in line] == []
    assert failures(webhook) == before


async def test_a_network_as_large_as_any_is_reviewed(networks: Networks) -> None:
    # In JSON six times as long; and the review of a change has the object twice.
    await networks.make("large", annotations={"example.org/note": "\u0001" * 120_000})
    with pytest.raises(ApiInvalidError, match=r"spec\.customCNI"):
        await networks.change("large", {"spec": {**BAD, "macvlan": None}})
    await networks.delete("large")
