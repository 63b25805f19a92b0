from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.discovery.cilium import (
    AGENTS,
    CILIUM_NODE,
    POOLS,
    Cilium,
    CiliumAddresses,
    cilium_config,
    read_config,
    read_node,
    read_pool,
)
from spidercoordinator.discovery.source import Observation

CONFIG = cilium_config("kube-system", "cilium-config")
SOURCE = CiliumAddresses(CONFIG)


def observations(
    data: dict[str, str] | None,
    *,
    pools: list[dict[str, Any]] | None = None,
    nodes: list[dict[str, Any]] | None = None,
    agents: bool = False,
) -> dict[str, Observation]:
    config = {} if data is None else {"x": read_config({"metadata": {}, "data": data})}
    return {
        CONFIG.title: Observation(synced=True, served=True, entries=config),
        POOLS.title: Observation(
            synced=True,
            served=pools is not None,
            entries={p["metadata"]["name"]: v for p in pools or () if (v := read_pool(p))},
        ),
        CILIUM_NODE.title: Observation(
            synced=True,
            served=nodes is not None,
            entries={str(i): w for i, n in enumerate(nodes or ()) if (w := read_node(n))},
        ),
        AGENTS.title: Observation(
            synced=True, served=True, entries={"kube-system/cilium": True} if agents else {}
        ),
    }


def pool(name: str, created: str, four: list[str], six: list[str]) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "creationTimestamp": created},
        "spec": {"ipv4": {"cidrs": four, "maskSize": 27}, "ipv6": {"cidrs": six, "maskSize": 123}},
    }


@pytest.mark.parametrize(
    ("four", "six", "expected"),
    [
        pytest.param("10.0.0.0/8", "", ("10.0.0.0/8",), id="one"),
        pytest.param("10.0.0.0/16 10.1.0.0/16", "", ("10.0.0.0/16", "10.1.0.0/16"), id="blanks"),
        pytest.param("10.0.0.0/16,10.1.0.0/16", "", ("10.0.0.0/16", "10.1.0.0/16"), id="commas"),
        pytest.param("10.0.0.0/16", " fd00::/104 ", ("10.0.0.0/16", "fd00::/104"), id="dual"),
        pytest.param("", "fd00::/104", ("fd00::/104",), id="IPv6 only"),
    ],
)
@pytest.mark.parametrize("mode", ["cluster-pool", "cluster-pool-v2beta", ""])
def test_cluster_pool(mode: str, four: str, six: str, expected: tuple[str, ...]) -> None:
    data = {"ipam": mode, "cluster-pool-ipv4-cidr": four, "cluster-pool-ipv6-cidr": six}
    assert SOURCE.report(observations(data)).pod == expected


def test_multi_pool_takes_all_pools_the_oldest_first() -> None:
    pools = [
        pool("late", "2026-02-01T00:00:00Z", ["10.20.0.0/16"], []),
        pool("default", "2026-01-01T00:00:00Z", ["10.10.0.0/16"], ["fd00:10::/104"]),
    ]
    report = SOURCE.report(observations({"ipam": "multi-pool"}, pools=pools))
    assert report.pod == ("10.10.0.0/16", "fd00:10::/104", "10.20.0.0/16")


def test_kubernetes_mode_leaves_it_to_the_cluster() -> None:
    assert SOURCE.report(observations({"ipam": "kubernetes"})).defers_to_cluster


@pytest.mark.parametrize(
    ("mode", "node", "expected"),
    [
        pytest.param(
            "eni",
            {
                "spec": {"ipam": {"pool": {"172.31.1.9": {}}}},
                "status": {"eni": {"enis": {"eni-1": {"subnet": {"cidr": "172.31.0.0/20"}}}}},
            },
            ("172.31.0.0/20",),
            id="AWS",
        ),
        pytest.param(
            "azure",
            {"spec": {}, "status": {"azure": {"interfaces": [{"cidr": "10.240.0.0/16"}]}}},
            ("10.240.0.0/16",),
            id="Azure",
        ),
        pytest.param(
            "azure",
            {
                "spec": {},
                "status": {"azure": {"interfaces": [{"subnet": {"cidr": "10.241.0.0/16"}}]}},
            },
            ("10.241.0.0/16",),
            id="newer Azure",
        ),
        pytest.param(
            "alibabacloud",
            {
                "spec": {},
                "status": {"alibaba-cloud": {"enis": {"e": {"vswitch": {"cidr": "10.7.0.0/20"}}}}},
            },
            ("10.7.0.0/20",),
            id="Alibaba",
        ),
        pytest.param(
            "crd",
            {"spec": {"ipam": {"podCIDRs": ["10.2.1.0/24"], "pool": {"10.9.9.9": {}}}}},
            ("10.2.1.0/24",),
            id="CRD with ranges",
        ),
        pytest.param(
            "crd",
            {"spec": {"ipam": {"pool": {"10.2.0.2": {}, "10.2.0.3": {}}}}},
            ("10.2.0.2/31",),
            id="CRD with addresses",
        ),
    ],
)
def test_ranges_of_a_cloud_come_from_its_nodes(
    mode: str, node: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert SOURCE.report(observations({"ipam": mode}, nodes=[node])).pod == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(None, "there is no ConfigMap kube-system/cilium-config", id="no ConfigMap"),
        pytest.param({"ipam": "cluster-pool"}, "cluster-pool-ipv4-cidr", id="no ranges"),
        pytest.param({"ipam": "multi-pool"}, "no ciliumpodippools.cilium.io", id="no pools"),
        pytest.param({"ipam": "eni"}, "no ciliumnodes.cilium.io", id="no nodes"),
        pytest.param({"ipam": "moon"}, "known are cluster-pool", id="an unknown mode"),
    ],
)
def test_what_is_missing_is_named(data: dict[str, str] | None, message: str) -> None:
    report = SOURCE.report(observations(data))
    assert report.pod == ()
    assert message in report.missing


def test_cilium_is_detected_and_so_is_chaining() -> None:
    assert Cilium(CONFIG).detect(observations({"ipam": "eni"}, agents=True)).confidence == 2
    assert Cilium(CONFIG).detect(observations({"ipam": "eni"})).confidence == 1
    assert Cilium(CONFIG).detect(observations(None)).confidence == 0
    chained = {"ipam": "cluster-pool", "cni-chaining-mode": "generic-veth"}
    assert Cilium(CONFIG).detect(observations(chained, agents=True)).chained
    assert (
        not Cilium(CONFIG).detect(observations({"cni-chaining-mode": "none"}, agents=True)).chained
    )
