from __future__ import annotations

import json

import pytest

from spidercoordinator import errors
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.failure import refused, reported
from spidercoordinator.kube.resource import CONFIG_MAPS, SPIDERCOORDINATORS


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.ApiInvalidError),
        (401, errors.ApiUnauthorizedError),
        (403, errors.ApiForbiddenError),
        (404, errors.ApiNotFoundError),
        (409, errors.ApiConflictError),
        (410, errors.ApiGoneError),
        (422, errors.ApiInvalidError),
        (429, errors.ApiUnavailableError),
        (500, errors.ApiUnavailableError),
        (503, errors.ApiUnavailableError),
        (418, errors.ApiError),
    ],
)
def test_an_answer_becomes_the_error_of_its_status(
    status: int, kind: type[errors.ApiError]
) -> None:
    error = refused("get it", status, b"")
    assert type(error) is kind
    assert error.status == status


def test_the_server_s_message_causes_and_wait_are_kept() -> None:
    body = {
        "message": "too many",
        "details": {"retryAfterSeconds": 7, "causes": [{"field": "spec.mode", "message": "bad"}]},
    }
    error = refused("create it", 429, json.dumps(body).encode())
    assert "create it: the API server answered 429: too many" in str(error)
    assert error.retry_after == 7
    assert error.causes == (("spec.mode", "bad"),)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'"x"', b'{"details": "text"}', b'{"message": 5}', b"[" * 9999]
)
def test_an_answer_that_is_no_status_object_is_survived(body: bytes) -> None:
    assert refused("get it", 502, body).status == 502


@pytest.mark.parametrize("status", [404, 409, 410])
def test_a_page_for_people_says_nothing_of_an_object(status: int) -> None:
    """A proxy that knows no way says 404, too: what the API server has is not gone by that."""
    error = refused("get it", status, b"\n<!DOCTYPE html><title>404 Not Found</title>")
    assert (type(error), error.status) == (errors.ApiUnavailableError, status)
    assert error.refusal is errors.Refusal.UNAVAILABLE
    assert f"get it: the API server answered {status}: <!DOCTYPE html>" in str(error)
    plain = refused("get it", 404, b"404 page not found\n")
    assert type(plain) is errors.ApiNotFoundError


@pytest.mark.parametrize(
    ("given", "waits"),
    [
        ("7", 7),
        (86_400_000, 60),
        ("9" * 400, 60),
        ("Fri, 27 Nov 2026 20:00:00 GMT", 0),
        ("²", 0),
        ("-1", 0),
        (1.5, 0),
        (True, 0),
        ([], 0),
    ],
)
def test_no_answer_puts_the_next_try_off_for_long(given: object, waits: float) -> None:
    body = {"message": "later", "details": {"retryAfterSeconds": given}}
    assert refused("do it", 429, json.dumps(body).encode()).retry_after == waits
    if isinstance(given, str):
        assert refused("do it", 429, b"", {"Retry-After": given}).retry_after == waits


@pytest.mark.parametrize("causes", [5, "text", True, {"a": 1}, [None, "text", {"field": 1}]])
def test_causes_of_another_form_are_survived(causes: object) -> None:
    body = {"message": "no", "details": {"causes": causes}}
    assert "no" in str(refused("do it", 422, json.dumps(body).encode()))


@pytest.mark.parametrize("status", [401, 404, 409, 410])
def test_a_webhook_s_status_does_not_make_an_object_go(status: int) -> None:
    error = refused("delete it", status, json.dumps({"message": BY_WEBHOOK}).encode())
    assert type(error) is errors.ApiForbiddenError
    assert (error.status, error.refusal) == (status, R.DENIED)


def test_a_missing_role_says_where_to_look() -> None:
    assert "ClusterRole" in str(refused("get it", 403, b""))


R = errors.Refusal
NAD = 'network-attachment-definitions.k8s.cni.cncf.io "a" is forbidden: '
BY_ROLE = (
    'User "u" cannot patch resource "network-attachment-definitions" in API group'
    ' "k8s.cni.cncf.io" in the namespace "default"'
)
BY_POLICY = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"
BY_WEBHOOK = 'admission webhook "w" denied the request: no'
QUOTA = "exceeded quota: q, requested: count/x=1, used: count/x=0, limited: count/x=0"
ENDING = "unable to create new content in namespace a because it is being terminated"
CALLING = 'Internal error occurred: failed calling webhook "w": connection refused'


@pytest.mark.parametrize(
    ("status", "message", "cause", "refusal", "advice"),
    [
        (401, "Unauthorized", "", R.UNAUTHORIZED, "token"),
        (403, "", "", R.FORBIDDEN, "ClusterRole"),
        (403, NAD + BY_ROLE, "", R.FORBIDDEN, "ClusterRole"),
        (403, 'forbidden: User "u" cannot get path "/apis"', "", R.FORBIDDEN, "ClusterRole"),
        (403, NAD + "cannot set an ownerRef on a resource", "", R.FORBIDDEN, "ClusterRole"),
        (403, NAD + BY_POLICY, "", R.DENIED, "policy or webhook"),
        (422, NAD + BY_POLICY, "", R.DENIED, "policy or webhook"),
        (403, BY_WEBHOOK, "", R.DENIED, "policy or webhook"),
        (400, BY_WEBHOOK, "", R.DENIED, "policy or webhook"),
        (500, BY_WEBHOOK, "", R.DENIED, "policy or webhook"),
        (403, BY_POLICY + ": bot cannot patch resource x", "", R.DENIED, "policy or webhook"),
        (403, NAD + "some plugin of the cloud's", "", R.DENIED, "policy or webhook"),
        (403, NAD + QUOTA, "", R.QUOTA_EXCEEDED, "ResourceQuota"),
        (403, NAD + "status unknown for quota: q", "", R.QUOTA_EXCEEDED, "ResourceQuota"),
        (403, NAD + ENDING, "NamespaceTerminating", R.NAMESPACE_TERMINATING, ""),
        (404, "404 page not found", "", R.NOT_FOUND, ""),
        (409, "the object has been modified", "", R.CONFLICT, ""),
        (413, "Request entity too large: limit is 3145728", "", R.TOO_LARGE, "shorter"),
        (500, "etcdserver: request is too large", "", R.TOO_LARGE, "shorter"),
        (422, "spec.config: Too long", "", R.INVALID, ""),
        (400, "cannot be handled", "", R.INVALID, ""),
        (429, "too many requests", "", R.THROTTLED, ""),
        (500, CALLING, "", R.WEBHOOK_FAILED, "mend the webhook"),
        (503, "", "", R.UNAVAILABLE, ""),
        (418, "", "", R.OTHER, ""),
    ],
)
def test_why_it_was_refused_and_advice_that_fits(
    status: int, message: str, cause: str, refusal: errors.Refusal, advice: str
) -> None:
    body = {"message": message, "details": {"causes": [{"reason": cause}] if cause else []}}
    error = refused("apply it", status, json.dumps(body).encode())
    assert error.refusal == refusal
    assert message in str(error)
    assert advice in str(error)
    assert ("ClusterRole" in str(error)) == (refusal == R.FORBIDDEN)


def test_the_object_an_answer_is_about_is_named_and_a_kind_is_none() -> None:
    body = {"message": "gone", "details": {"name": "a", "kind": "b"}}
    assert refused("get it", 404, json.dumps(body).encode()).subject == "a"
    assert refused("get it", 404, b"404 page not found").subject == ""


def test_silence_names_the_server() -> None:
    with (
        pytest.raises(errors.ApiUnavailableError, match=r"https://10\.0\.0\.1"),
        reported("get it", "https://10.0.0.1"),
    ):
        raise TimeoutError


def test_paths() -> None:
    assert CONFIG_MAPS.path("ns", "a/b") == "/api/v1/namespaces/ns/configmaps/a%2Fb"
    assert (
        SPIDERCOORDINATORS.path("", "default", "status")
        == "/apis/spiderpool.spidernet.io/v2beta1/spidercoordinators/default/status"
    )


def test_delays_double_up_to_the_cap_and_jitter_only_shortens_them() -> None:
    steady = Backoff(first=1, cap=5, jitter=0)
    assert [steady.delay(failures) for failures in (1, 2, 3, 4, 99)] == [1, 2, 4, 5, 5]
    shaky = Backoff(first=1, cap=5, jitter=0.5)
    assert all(2.5 <= shaky.delay(10) <= 5 for _ in range(100))
