"""The end of a container's log."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import aiohttp

from spidercoordinator.kube.client import Client
from spidercoordinator.kube.failure import refused, reported
from spidercoordinator.kube.resource import PODS

_LONGEST: Final = 1 << 20
"""Bytes that are read at most."""
_ANSWERS_WITHIN: Final = 10.0
"""Seconds; the answer is the kubelet's, and nodes may be gone."""
_OK: Final = 200


async def read_log(client: Client, namespace: str, pod: str, container: str, *, lines: int) -> str:
    """The last lines of a log, each behind the time in RFC 3339 at which it was written.

    Args:
        client: How to ask.
        namespace: Of the pod.
        pod: Its name.
        container: Whose log.
        lines: How many of them at most.

    Raises:
        ApiError: The API server refused, was not reached, or did not reach the node's kubelet.
    """
    action = f"read the log of {PODS.describe(namespace, pod)}"
    query = {
        "container": container,
        "tailLines": str(lines),
        "timestamps": "true",
        "limitBytes": str(_LONGEST),
    }
    url = f"{client.login.server}{PODS.path(namespace, pod, 'log')}?{urlencode(query)}"
    with reported(action, client.login.server):
        answer = await client.client.call_api(
            "GET", url, _request_timeout=aiohttp.ClientTimeout(_ANSWERS_WITHIN)
        )
        data: bytes = await answer.read()  # type: ignore[no-untyped-call]
    if answer.status != _OK:
        raise refused(action, answer.status, data, answer.headers)
    return data.decode(errors="replace")
