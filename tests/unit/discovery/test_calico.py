from __future__ import annotations

from typing import Any

from spidercoordinator.discovery.calico import (
    AGENTS,
    BLOCKS,
    POOLS,
    Calico,
    CalicoPools,
    read_block,
    read_pool,
)
from spidercoordinator.discovery.source import Observation


def pool(
    name: str, cidr: str, created: str = "2026-01-01T00:00:00Z", **spec: Any
) -> dict[str, Any]:
    meta = {"name": name, "creationTimestamp": created}
    return {"metadata": meta, "spec": {"cidr": cidr, **spec}}


def block(cidr: str, *, used: bool) -> dict[str, Any]:
    allocations = [None, 0, None] if used else [None, None]
    return {"metadata": {"name": cidr}, "spec": {"cidr": cidr, "allocations": allocations}}


def observations(
    *pools: dict[str, Any], blocks: list[dict[str, Any]] | None = None, agents: bool = False
) -> dict[str, Observation]:
    pool_entries = {p["metadata"]["name"]: v for p in pools if (v := read_pool(p)) is not None}
    block_entries = {b["metadata"]["name"]: w for b in blocks or () if (w := read_block(b))}
    return {
        POOLS.title: Observation(synced=True, served=True, entries=pool_entries),
        BLOCKS.title: Observation(synced=True, served=blocks is not None, entries=block_entries),
        AGENTS.title: Observation(
            synced=True, served=True, entries={"kube-system/calico-node": True} if agents else {}
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


def test_calico_is_detected_by_its_agents_then_by_addresses_in_use() -> None:
    assert Calico().detect(observations(pool("on", "10.1.0.0/16"), agents=True)).confidence == 2
    assert Calico().detect(observations(blocks=[block("10.2.3.0/26", used=True)])).confidence == 1
    assert Calico().detect(observations(pool("left", "10.1.0.0/16"), blocks=[])).confidence == 0


def test_calico_without_a_pool_is_there_for_policy_alone() -> None:
    assert Calico().detect(observations(agents=True, blocks=[])).chained
