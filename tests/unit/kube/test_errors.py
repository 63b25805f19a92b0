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


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b'{"details": "text"}'])
def test_an_answer_that_is_no_status_object_is_survived(body: bytes) -> None:
    assert refused("get it", 502, body).status == 502


def test_a_missing_role_says_where_to_look() -> None:
    assert "ClusterRole" in str(refused("get it", 403, b""))


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
