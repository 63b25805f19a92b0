"""From the HTTP library's and the API server's failures to this project's errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from spidercoordinator.errors import ApiError, ApiUnavailableError, Refusal, api_error_class
from spidercoordinator.kube.jsontext import Loads, loads

_ADVICE: Final = {
    Refusal.UNAUTHORIZED: "check that the operator's service account token is valid",
    Refusal.FORBIDDEN: "check the operator's ClusterRole and its binding",
    Refusal.DENIED: "the policy or webhook named there has to allow it",
    Refusal.QUOTA_EXCEEDED: "raise that ResourceQuota, or delete what is not needed any more",
    Refusal.TOO_LARGE: "the configuration has to become shorter",
    Refusal.WEBHOOK_FAILED: "mend the webhook named there, or delete its configuration",
}
"""What can be done, where the server's text does not say it."""

_PERSONAL_ADVICE: Final = _ADVICE | {
    Refusal.UNAUTHORIZED: "log in again, or choose another kubeconfig or context: these"
    " credentials are not accepted (any more)",
    Refusal.FORBIDDEN: "ask an administrator of the cluster for that right, or choose a context"
    " whose user has it",
}
"""The same for a person with a kubeconfig."""

# How Kubernetes words it: apiserver's admission/plugin/webhook/errors, admission/plugin/policy/
# validating, quota's controller, registry's NewForbidden of the authorizer, and gc's admission.
_DENIED: Final = re.compile(
    r"admission webhook .* denied the request|ValidatingAdmissionPolicy '.*' with binding",
    re.DOTALL,
)
_WEBHOOK_FAILED: Final = re.compile(r"failed calling webhook")
_QUOTA: Final = re.compile(r"(exceeded|insufficient|failed|status unknown for) quota")
_NO_ROLE: Final = re.compile(r"cannot \S+ (resource|path)|cannot set (an ownerRef|blockOwnerDel)")
_TOO_LARGE: Final = re.compile(r"request is too large|message larger than max")
_TERMINATING: Final = "NamespaceTerminating"
"""The reason of a cause, from apiserver's admission/plugin/namespace/lifecycle."""

_SAYS_OTHERWISE: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE}
)
"""What means something else where no webhook says it."""
_SAYS_NOTHING: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE})
"""What says nothing of an object where it is a page for people, which a proxy gives."""
_LONGEST_WAIT: Final = 60.0
"""Seconds that an answer may put the next try off; as long as the longest back-off."""

_BY_STATUS: Final[dict[int, Refusal]] = {
    HTTPStatus.BAD_REQUEST: Refusal.INVALID,
    HTTPStatus.UNAUTHORIZED: Refusal.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND: Refusal.NOT_FOUND,
    HTTPStatus.CONFLICT: Refusal.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Refusal.TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY: Refusal.INVALID,
    HTTPStatus.TOO_MANY_REQUESTS: Refusal.THROTTLED,
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


def parsed(text: bytes, action: str, parse: Loads = loads) -> dict[str, Any]:
    """The object in an answer of the API server.

    Args:
        text: the answer.
        action: what was tried, for messages.
        parse: how to parse it.

    Raises:
        ApiUnavailableError: it is none: a proxy answered, or the answer was cut off.
    """
    try:
        answer = parse(text)
    except (ValueError, RecursionError) as error:
        raise ApiUnavailableError(f"{action}: the answer is no JSON: {error}") from error
    if not isinstance(answer, dict):
        shown = text[:80].decode("utf-8", "replace")
        raise ApiUnavailableError(f"{action}: the answer is no object: {shown}")
    return answer


def refused(
    action: str, status: int, body: bytes, headers: Any = None, *, personal: bool = False
) -> ApiError:
    """Make the error for an answer other than 2xx.

    Args:
        action: what was tried.
        status: of HTTP.
        body: of the answer.
        headers: of the answer.
        personal: whether a person asked, with a kubeconfig, and not the operator.
    """
    answer = _status_object(body)
    text = body[:200].decode("utf-8", "replace").strip()
    message = str(answer.get("message") or "") if answer else text
    details = answer.get("details")
    details = details if isinstance(details, dict) else {}
    given = details.get("causes")
    given = given if isinstance(given, list) else []
    causes = [cause for cause in given if isinstance(cause, dict)]
    reasons = [str(cause.get("reason", "")) for cause in causes]
    by_proxy = status in _SAYS_NOTHING and body.lstrip().startswith(b"<")
    refusal = Refusal.UNAVAILABLE if by_proxy else refusal_of(status, message, reasons)
    text = f"{action}: the API server answered {status}: {message or 'without a message'}"
    if advice := (_PERSONAL_ADVICE if personal else _ADVICE).get(refusal):
        text += f"; {advice}"
    wait = (headers or {}).get("Retry-After") or details.get("retryAfterSeconds") or 0
    # A webhook chooses the status of its answer; one that says 404 does not make an object go.
    by_webhook = refusal is Refusal.DENIED and status in _SAYS_OTHERWISE
    meant = HTTPStatus.FORBIDDEN if by_webhook else HTTPStatus.BAD_GATEWAY if by_proxy else status
    return api_error_class(meant)(
        text,
        status=status,
        retry_after=_seconds(wait),
        causes=tuple((str(each.get("field", "")), str(each.get("message", ""))) for each in causes),
        subject=str(details.get("name") or ""),
        refusal=refusal,
    )


def _seconds(wait: Any) -> float:
    """How long to wait, within reason: webhooks and proxies write it, too; a date is none."""
    text = str(wait)
    return min(float(text), _LONGEST_WAIT) if text.isascii() and text.isdecimal() else 0.0


def refusal_of(status: int, message: str, causes: Sequence[str]) -> Refusal:
    """Tell why the API server refused.

    Its status alone does not: 403 is said for a missing role, by policies, webhooks and quotas, and
    in a namespace that is being deleted; a policy says 422 unless told otherwise.

    Args:
        status: of HTTP.
        message: the server's own text.
        causes: the reasons of the causes it gives.
    """
    if _WEBHOOK_FAILED.search(message):
        return Refusal.WEBHOOK_FAILED
    if _DENIED.search(message):
        return Refusal.DENIED
    if _TOO_LARGE.search(message):
        return Refusal.TOO_LARGE
    if status == HTTPStatus.FORBIDDEN:
        return _forbidden(message, causes)
    if status == 0 or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Refusal.UNAVAILABLE
    return _BY_STATUS.get(status, Refusal.OTHER)


def _forbidden(message: str, causes: Sequence[str]) -> Refusal:
    if _TERMINATING in causes:
        return Refusal.NAMESPACE_TERMINATING
    if _QUOTA.search(message):
        return Refusal.QUOTA_EXCEEDED
    # What says nothing comes from an authorizer before the API server; of all others that are left
    # an admission plugin is the one that says no in words of its own.
    return Refusal.FORBIDDEN if not message or _NO_ROLE.search(message) else Refusal.DENIED


def _status_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
