"""Events as they are sent."""

from __future__ import annotations

import pytest

from spidercoordinator.api.names import is_subdomain
from spidercoordinator.core.status.transitions import Transition
from spidercoordinator.kube.events import event_of
from spidercoordinator.kube.resource import SPIDERMULTUSCONFIGS


@pytest.mark.parametrize("name", ["a", "a" * 253, f"{'a' * 235}.{'b' * 17}", f"{'a' * 235}-b-c-d"])
def test_an_event_about_an_object_of_any_name_has_a_name_itself(name: str) -> None:
    about = {"metadata": {"name": name, "namespace": "ns", "uid": "u"}}
    told = Transition("Normal", "Synced", "it is")
    event = event_of(SPIDERMULTUSCONFIGS, about, told, now="2026-01-01T00:00:00Z")
    assert is_subdomain(event["metadata"]["name"])
    assert event["metadata"]["name"].startswith(name[:200])
    assert event["involvedObject"]["name"] == name
