"""What is known of a product by the CRD it brings: there, absent, and unread are three things."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spidercoordinator.discovery.crds import undetermined
from spidercoordinator.discovery.informers import update_observation
from spidercoordinator.discovery.ipam import SPIDERPOOL, spiderpool_served
from spidercoordinator.discovery.mesh import ISTIO, istio
from spidercoordinator.discovery.source import Observation, Observations, WatchedObjects
from spidercoordinator.errors import ApiForbiddenError, ApiUnavailableError
from spidercoordinator.kube.reflector import Deleted, NotServed, Replaced, WatchEvent, WatchFailed

CRD = {"metadata": {"name": "things.example.org"}}
GOING = {"metadata": CRD["metadata"] | {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
REFUSED = WatchFailed(ApiForbiddenError("no", status=403))
LOST = WatchFailed(ApiUnavailableError("HTTP 503"))

PRODUCTS = pytest.mark.parametrize(
    ("watched", "detect"),
    [
        pytest.param(ISTIO, istio, id="Istio"),
        pytest.param(SPIDERPOOL, spiderpool_served, id="Spiderpool"),
    ],
)
Detect = Callable[[Observations], bool | None]


def observed(
    watched: WatchedObjects, *events: WatchEvent | list[dict[str, object]]
) -> Observations:
    """What is observed after these events; a list stands for the answer to a list request."""
    observation = Observation()
    for each in events:
        event = Replaced([watched.read(obj) for obj in each]) if isinstance(each, list) else each
        update_observation(watched, observation, event)
    return {watched.title: observation}


@PRODUCTS
@pytest.mark.parametrize(
    ("events", "found", "told"),
    [
        pytest.param([], None, "not read yet", id="not read yet"),
        pytest.param([[]], False, "", id="absent"),
        pytest.param([NotServed()], False, "", id="no CRDs at all"),
        pytest.param([[CRD]], True, "", id="there"),
        pytest.param([[GOING]], False, "", id="going"),
        pytest.param([[CRD], Deleted(CRD)], False, "", id="gone"),
        pytest.param([REFUSED], None, "may not list customresourcedef", id="refused"),
        pytest.param([LOST], None, "HTTP 503", id="no answer"),
        pytest.param([[], REFUSED], None, "may not list customresourcedef", id="refused later"),
        pytest.param([[], LOST], False, "", id="absent, one connection lost"),
        pytest.param([[], LOST, LOST], None, "HTTP 503", id="absent, and lost for good"),
        pytest.param([[CRD], REFUSED], True, "", id="there as last known"),
        pytest.param([REFUSED, []], False, "", id="absent, refused before"),
    ],
)
def test_absence_needs_that_it_was_read(
    watched: WatchedObjects,
    detect: Detect,
    events: list[WatchEvent],
    found: bool | None,
    told: str,
) -> None:
    observations = observed(watched, *events)
    assert detect(observations) is found
    text = undetermined(observations, watched, "X")
    assert (told in text) if told else text == ""
    assert bool(text) is (found is None)
    assert not text or text.startswith("whether X is installed cannot be told: ")
