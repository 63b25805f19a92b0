"""How many networks there are by their condition Ready is counted as they come, change and go."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.core.network.status import readiness
from spidercoordinator.kube.store import Store
from spidercoordinator.reconcilers.gauges import NetworkStates

STATES = st.sampled_from([(), ("True", "InSync"), ("False", "NoIPAM"), ("False", "Invalid")])


def network(name: str, state: tuple[str, ...], version: int) -> dict[str, Any]:
    ready = [{"type": "Ready", "status": state[0], "reason": state[1]}] if state else []
    meta = {"namespace": "ns", "name": name, "resourceVersion": str(version)}
    return {"metadata": meta, "status": {"conditions": ready}}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.none() | STATES)))
def test_the_counts_are_those_of_the_store(
    changes: list[tuple[str, tuple[str, ...] | None]],
) -> None:
    store, states = Store(), NetworkStates()
    store.add_indexer(states.update)
    for version, (name, state) in enumerate(changes, 1):
        if state is None:
            store.observe_deletion(network(name, (), version))
        else:
            store.observe(network(name, state, version))
    expected: dict[tuple[str, ...], float] = {}
    for each in store.values():
        expected[readiness(each)] = expected.get(readiness(each), 0) + 1
    [family] = states.collect()
    told = {(each.labels["ready"], each.labels["reason"]): each.value for each in family.samples}
    assert told == expected
