"""Run a command in a container, as `kubectl exec` does.

The protocol is a WebSocket whose messages begin with a byte for their channel
(https://github.com/kubernetes/kubernetes/blob/v1.34.0/staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp

from spidercoordinator.errors import ApiUnavailableError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.failure import refused, reported
from spidercoordinator.kube.resource import PODS

_PROTOCOL: Final = "v4.channel.k8s.io"
_OUTPUT: Final = 1
_ERRORS: Final = 2
_STATUS: Final = 3


@dataclass(frozen=True, slots=True)
class Container:
    """Where a command runs.

    Attributes:
        namespace: of the pod.
        pod: its name.
        name: of the container.
    """

    namespace: str
    pod: str
    name: str


@dataclass(frozen=True, slots=True)
class Execution:
    """How a command ended.

    Attributes:
        status: its exit status.
        output: what it wrote to standard output.
        errors: what it wrote to standard error.
    """

    status: int
    output: str
    errors: str


async def execute(api: Client, where: Container, command: Sequence[str]) -> Execution:
    """Run a command in a container and wait for its end, for as long as the caller lets it.

    Args:
        api: which API server.
        where: the container.
        command: program and arguments.

    Raises:
        ApiError: it was not allowed, or could not be started.
    """
    action = f"exec in {PODS.describe(where.namespace, where.pod)}"
    query = [("container", where.name), ("stdout", "true"), ("stderr", "true")]
    query += [("command", each) for each in command]
    url = f"{api.login.server}{PODS.path(where.namespace, where.pod, 'exec')}?{urlencode(query)}"
    channels: dict[int, bytes] = {_OUTPUT: b"", _ERRORS: b"", _STATUS: b""}
    with reported(action, api.login.server):
        try:
            async with api.login.session(api.client) as session:
                socket = await session.ws_connect(url, protocols=[_PROTOCOL], max_msg_size=0)
                async for message in socket:
                    data = message.data if isinstance(message.data, bytes) else b""
                    if data[:1]:
                        channels[data[0]] = channels.get(data[0], b"") + data[1:]
        except aiohttp.WSServerHandshakeError as error:
            status = error.status or HTTPStatus.BAD_GATEWAY
            raise refused(action, status, b"", personal=api.login.personal) from error
    output, errors = (channels[each].decode("utf-8", "replace") for each in (_OUTPUT, _ERRORS))
    return Execution(_exit_status(channels[_STATUS], action), output, errors)


def _exit_status(text: bytes, action: str) -> int:
    """The status that the kubelet reports on its own channel at the end."""
    try:
        answer: dict[str, Any] = json.loads(text)
        if answer.get("status") == "Success":
            return 0
        if answer.get("reason") == "NonZeroExitCode":
            causes = answer["details"]["causes"]
            return next(int(each["message"]) for each in causes if each["reason"] == "ExitCode")
        message = str(answer.get("message"))
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
        message = "the connection ended before the command did"
    raise ApiUnavailableError(f"{action}: {message}")
