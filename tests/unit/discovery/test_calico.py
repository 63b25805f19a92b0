from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from spidercoordinator.core.cidrs.reports import Presence
from spidercoordinator.discovery import calico, nodes
from spidercoordinator.discovery.calico import (
    BLOCKS,
    POOLS,
    Calico,
    CalicoPools,
    read_block,
    read_pool,
)
from spidercoordinator.discovery.daemonsets import Agents
from spidercoordinator.discovery.source import Observation, ReadState

AGENTS = calico.agents(["kube-system"])
DETECTOR = Calico(AGENTS)


def pool(
    name: str, cidr: str, created: str = "2026-01-01T00:00:00Z", **spec: Any
) -> dict[str, Any]:
    meta = {"name": name, "creationTimestamp": created}
    return {"metadata": meta, "spec": {"cidr": cidr, **spec}}


def block(cidr: str, *, used: bool) -> dict[str, Any]:
    allocations = [None, 0, None] if used else [None, None]
    return {"metadata": {"name": cidr}, "spec": {"cidr": cidr, "allocations": allocations}}


def observations(
    *pools: dict[str, Any],
    blocks: list[dict[str, Any]] | None = None,
    agents: Agents = Agents.NONE,
    marks: tuple[bool, ...] = (False,),
) -> dict[str, Observation]:
    """What is observed when all is read; without `blocks` their kind does not exist."""
    pool_entries = {p["metadata"]["name"]: v for p in pools if (v := read_pool(p)) is not None}
    block_entries = {b["metadata"]["name"]: w for b in blocks or () if (w := read_block(b))}
    blocks_state = ReadState.NOT_SERVED if blocks is None else ReadState.READ
    running = {} if agents is Agents.NONE else {"kube-system/calico-node": agents}
    return {
        POOLS.title: Observation(ReadState.READ, entries=pool_entries),
        BLOCKS.title: Observation(blocks_state, entries=block_entries),
        AGENTS.title: Observation(ReadState.READ, entries=running),
        nodes.WATCHED.title: Observation(
            ReadState.READ,
            entries={str(n): nodes.NodeFacts((), of_calico=each) for n, each in enumerate(marks)},
        ),
    }


def test_pools_come_oldest_first_and_by_name_within_a_second() -> None:
    observation = observations(
        pool("b-v6", "fd00::/48"),
        pool("a-v4", "10.1.0.0/16"),
        pool("older", "10.0.0.0/16", "2025-01-01T00:00:00Z"),
    )
    assert CalicoPools().report(observation).pod == ("10.0.0.0/16", "10.1.0.0/16", "fd00::/48")


def test_a_disabled_pool_stays_while_an_address_of_it_is_in_use() -> None:
    pools = (pool("on", "10.1.0.0/16"), pool("off", "10.2.0.0/16", disabled=True))
    used = observations(*pools, blocks=[block("10.2.3.0/26", used=True)])
    assert CalicoPools().report(used).pod == ("10.2.0.0/16", "10.1.0.0/16")
    unused = observations(*pools, blocks=[block("10.2.3.0/26", used=False)])
    assert CalicoPools().report(unused).pod == ("10.1.0.0/16",)
    elsewhere = observations(*pools, blocks=[block("10.1.3.0/26", used=True)])
    assert CalicoPools().report(elsewhere).pod == ("10.1.0.0/16",)


def test_a_disabled_pool_stays_when_nobody_can_tell_whether_it_is_in_use() -> None:
    observation = observations(pool("off", "10.2.0.0/16", disabled=True), blocks=None)
    assert CalicoPools().report(observation).pod == ("10.2.0.0/16",)


def test_pools_for_other_uses_do_not_count() -> None:
    observation = observations(
        pool("lb", "10.3.0.0/16", allowedUses=["LoadBalancer"]),
        pool("tunnel", "10.4.0.0/16", allowedUses=["Tunnel"]),
        pool("pods", "10.5.0.0/16", allowedUses=["Workload", "Tunnel"]),
        pool("default", "10.6.0.0/16"),
    )
    assert CalicoPools().report(observation).pod == ("10.6.0.0/16", "10.5.0.0/16")


def test_only_disabled_pools_are_named_as_the_cause() -> None:
    observation = observations(pool("off", "10.2.0.0/16", disabled=True), blocks=[])
    assert "disabled" in CalicoPools().report(observation).missing


ON = pool("on", "10.1.0.0/16")
USED = [block("10.1.3.0/26", used=True)]


@pytest.mark.parametrize(
    ("observed", "presence"),
    [
        pytest.param(observations(ON, agents=Agents.READY), Presence.RUNNING, id="agents, a pool"),
        pytest.param(
            observations(blocks=USED, agents=Agents.READY), Presence.RUNNING, id="agents, blocks"
        ),
        pytest.param(
            observations(ON, blocks=USED, agents=Agents.STARTING), Presence.UNKNOWN, id="restarting"
        ),
        pytest.param(observations(blocks=USED), Presence.LEFT_OVERS, id="blocks without agents"),
        pytest.param(
            observations(blocks=USED, agents=Agents.ELSEWHERE),
            Presence.LEFT_OVERS,
            id="agents of a tenant",
        ),
        pytest.param(
            observations(blocks=USED, marks=(True, True)),
            Presence.MARKED,
            id="agents unknown, all nodes are marked",
        ),
        pytest.param(
            observations(blocks=USED, marks=(True, False)),
            Presence.LEFT_OVERS,
            id="a node joined after it went",
        ),
        pytest.param(
            observations(blocks=USED, marks=()), Presence.LEFT_OVERS, id="there is no node"
        ),
        pytest.param(
            observations(ON, blocks=[], marks=(True,)), Presence.ABSENT, id="marks and no address"
        ),
        pytest.param(observations(ON, blocks=[]), Presence.ABSENT, id="a pool that nobody uses"),
        pytest.param(observations(blocks=[]), Presence.ABSENT, id="nothing"),
    ],
)
def test_calico_runs_where_ready_agents_have_a_pool_or_blocks(
    observed: dict[str, Observation], presence: Presence
) -> None:
    assert DETECTOR.detect(observed).presence is presence


def test_calico_without_a_pool_is_there_for_policy_alone() -> None:
    assert DETECTOR.detect(observations(agents=Agents.READY, blocks=[])).chained


def test_nor_does_a_pool_that_no_node_takes_from_say_otherwise() -> None:
    # Beside a cloud's own network, such a pool marks its addresses as known, or waits for pods.
    pools = [pool("vpc", "10.0.0.0/16", nodeSelector="!all()")]
    assert DETECTOR.detect(observations(*pools, agents=Agents.READY, blocks=[])).chained
    used = [block("10.0.3.0/26", used=True)]
    found = DETECTOR.detect(observations(*pools, agents=Agents.READY, blocks=used))
    assert (found.presence, found.chained) == (Presence.RUNNING, False)
    some = [pool("zone", "10.1.0.0/16", nodeSelector="zone == 'a'")]
    assert not DETECTOR.detect(observations(*some, agents=Agents.READY, blocks=[])).chained


def test_agents_whose_kinds_do_not_exist_are_doubtful() -> None:
    observed = observations(agents=Agents.READY)
    observed[POOLS.title] = Observation(ReadState.NOT_SERVED)
    found = DETECTOR.detect(observed)
    assert (found.presence, found.chained) == (Presence.DOUBTFUL, False)
    assert "ippools.crd.projectcalico.org" in found.evidence


@pytest.mark.parametrize("state", [ReadState.NOT_READ, ReadState.FAILED])
@pytest.mark.parametrize("title", [POOLS.title, BLOCKS.title, AGENTS.title])
def test_what_cannot_be_read_is_never_no_calico(title: str, state: ReadState) -> None:
    observed = observations(blocks=[], agents=Agents.READY)
    observed[title] = Observation(state, "may not list" if state is ReadState.FAILED else "")
    found = DETECTOR.detect(observed)
    assert found.presence in {Presence.UNKNOWN, Presence.ABSENT}
    assert (found.presence is Presence.UNKNOWN) == (title != AGENTS.title)
    assert found.unread


def test_a_kind_that_fails_later_keeps_what_was_read_before() -> None:
    observed = observations(ON, blocks=USED, agents=Agents.READY)
    for title in (POOLS.title, BLOCKS.title, AGENTS.title):
        observed[title] = replace(observed[title], state=ReadState.FAILED, error="may not list")
    found = DETECTOR.detect(observed)
    assert (found.presence, found.unread) == (Presence.RUNNING, "may not list")
    report = CalicoPools().report(observed)
    assert (report.pod, report.unread) == (("10.1.0.0/16",), "may not list")


def test_pools_that_were_never_read_are_unread_and_not_missing_only() -> None:
    observed = observations(blocks=[])
    observed[POOLS.title] = Observation()
    report = CalicoPools().report(observed)
    assert report.unread == report.missing == "Calico IPPool: not read yet"


@pytest.mark.parametrize(
    ("annotations", "marked"),
    [
        pytest.param({"projectcalico.org/IPv4Address": "10.0.0.1/24"}, True, id="IPv4"),
        pytest.param({"projectcalico.org/IPv6Address": "fd00::1/64"}, True, id="IPv6"),
        pytest.param(
            {
                "projectcalico.org/IPv4Address": "10.0.0.1/24",
                "flannel.alpha.coreos.com/backend-type": "vxlan",
            },
            False,
            id="flannel took it over",
        ),
        pytest.param({"kubeadm.alpha.kubernetes.io/cri-socket": "unix:"}, False, id="others"),
        pytest.param(None, False, id="none"),
    ],
)
def test_a_node_that_calico_alone_marked(annotations: dict[str, str] | None, marked: bool) -> None:
    whole = {"metadata": {"name": "a", "annotations": annotations, "managedFields": ["bulk"]}}
    assert nodes.read_node(whole).of_calico == marked


@pytest.mark.parametrize("title", [BLOCKS.title, nodes.WATCHED.title])
def test_calico_without_agents_that_are_known_is_not_forgotten_when_it_cannot_be_read(
    title: str,
) -> None:
    observed = observations(ON, blocks=USED, marks=(True,))
    observed[title] = Observation(ReadState.FAILED, "may not list")
    found = DETECTOR.detect(observed)
    assert (found.presence, found.unread) == (Presence.UNKNOWN, "may not list")
    observed = observations(ON, blocks=USED, marks=(True,))
    observed[title] = replace(observed[title], state=ReadState.FAILED, error="may not list")
    assert DETECTOR.detect(observed).presence is Presence.MARKED
