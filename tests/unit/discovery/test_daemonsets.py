"""Whose DaemonSet counts, in which state, and what it says together with its objects."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from spidercoordinator.core.cidrs.reports import Presence
from spidercoordinator.discovery.daemonsets import (
    Agents,
    Objects,
    daemon_set,
    describe,
    find_agents,
    presence,
)
from spidercoordinator.discovery.source import Observation, ReadState

WATCHED = daemon_set("calico-node", ["kube-system", "calico-system"])


def read(status: dict[str, Any], namespace: str = "kube-system") -> object:
    return WATCHED.extract({"metadata": {"namespace": namespace}, "status": status})


@pytest.mark.parametrize(
    ("status", "state"),
    [
        pytest.param({}, Agents.STARTING, id="just made"),
        pytest.param(
            {"observedGeneration": 1, "desiredNumberScheduled": 3, "numberReady": 1},
            Agents.READY,
            id="one is ready",
        ),
        pytest.param(
            {"observedGeneration": 1, "desiredNumberScheduled": 3, "numberReady": 0},
            Agents.STARTING,
            id="restarting",
        ),
        pytest.param(
            {"observedGeneration": 1, "desiredNumberScheduled": 0}, None, id="switched off"
        ),
    ],
)
def test_agents_count_by_their_ready_pods(status: dict[str, Any], state: Agents | None) -> None:
    assert read(status) == state


def test_a_daemon_set_of_a_tenant_is_no_agent_whatever_its_state() -> None:
    ready = {"observedGeneration": 1, "desiredNumberScheduled": 3, "numberReady": 3}
    assert read(ready, "tenant") is Agents.ELSEWHERE
    assert read(ready, "calico-system") is Agents.READY


@pytest.mark.parametrize(
    ("observation", "agents"),
    [
        (Observation(), Agents.UNREAD),
        (Observation(ReadState.FAILED, "no"), Agents.UNREAD),
        (Observation(ReadState.READ), Agents.NONE),
        (Observation(ReadState.READ, entries={"t/a": Agents.ELSEWHERE}), Agents.ELSEWHERE),
        (Observation(ReadState.FAILED, entries={"t/a": Agents.ELSEWHERE}), Agents.UNREAD),
        (Observation(ReadState.FAILED, entries={"k/a": Agents.READY}), Agents.READY),
        (
            Observation(ReadState.READ, entries={"k/a": Agents.STARTING, "c/a": Agents.READY}),
            Agents.READY,
        ),
    ],
)
def test_the_state_that_says_most_is_found(observation: Observation, agents: Agents) -> None:
    assert find_agents(observation)[0] is agents


@pytest.mark.parametrize(("agents", "objects"), list(product(Agents, Objects)))
def test_only_ready_agents_with_their_objects_are_evidence(
    agents: Agents, objects: Objects
) -> None:
    found = presence(agents, objects)
    complete = agents is Agents.READY and objects is Objects.PRESENT
    assert (found is Presence.RUNNING) == complete
    if agents is Agents.UNREAD and objects is not Objects.ABSENT:
        assert found is Presence.UNKNOWN


@pytest.mark.parametrize("agents", [Agents.READY, Agents.STARTING, Agents.ELSEWHERE])
def test_agents_are_described_by_name(agents: Agents) -> None:
    assert describe(agents, "kube-system/calico-node").startswith(
        "DaemonSet kube-system/calico-node "
    )
