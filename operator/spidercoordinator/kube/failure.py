"""From the HTTP library's and the API server's failures to this project's errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp

from spidercoordinator.errors import ApiError, ApiUnavailableError, api_error_class

_HINTS = {
    401: "check that the operator's service account token is valid",
    403: "check the operator's ClusterRole and its binding",
}


@contextmanager
def reported(action: str, server: str) -> Iterator[None]:
    """Turn a failure to reach the server into `ApiUnavailableError`.

    Args:
        action: what was tried, for the message (`get ConfigMap kube-system/kubeadm-config`).
        server: base URL of the API server, for the message.
    """
    try:
        yield
    except TimeoutError as error:
        raise ApiUnavailableError(
            f"{action}: no answer in time from the API server at {server}"
        ) from error
    except (aiohttp.ClientError, ConnectionError) as error:
        raise ApiUnavailableError(
            f"{action}: cannot talk to the API server at {server}: {error}"
        ) from error


def parsed(text: bytes, action: str) -> dict[str, Any]:
    """The object in an answer of the API server.

    Raises:
        ApiUnavailableError: it is none: a proxy answered, or the answer was cut off.
    """
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ApiUnavailableError(f"{action}: the answer is no JSON: {error}") from error
    if not isinstance(answer, dict):
        shown = text[:80].decode("utf-8", "replace")
        raise ApiUnavailableError(f"{action}: the answer is no object: {shown}")
    return answer


def refused(action: str, status: int, body: bytes, headers: Any = None) -> ApiError:
    """Make the error for an answer other than 2xx."""
    details = _status_object(body)
    message = details.get("message") or body[:200].decode("utf-8", "replace").strip()
    text = f"{action}: the API server answered {status}: {message or 'without a message'}"
    if status in _HINTS:
        text += f"; {_HINTS[status]}"
    inner = details.get("details")
    inner = inner if isinstance(inner, dict) else {}
    causes = tuple(
        (str(cause.get("field", "")), str(cause.get("message", "")))
        for cause in inner.get("causes") or ()
    )
    wait = (headers or {}).get("Retry-After") or inner.get("retryAfterSeconds") or 0
    retry_after = float(wait) if str(wait).isdigit() else 0.0
    return api_error_class(status)(text, status=status, retry_after=retry_after, causes=causes)


def _status_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
