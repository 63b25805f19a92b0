from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.discovery.cilium import (
    AGENTS,
    CILIUM_NODE,
    POOLS,
    Cilium,
    CiliumAddresses,
    config_topic,
    read_config,
    read_node,
    read_pool,
)
from spidercoordinator.discovery.source import Observed

CONFIG = config_topic("kube-system", "cilium-config")
SOURCE = CiliumAddresses(CONFIG)


def board(
    data: dict[str, str] | None,
    *,
    pools: list[dict[str, Any]] | None = None,
    nodes: list[dict[str, Any]] | None = None,
    agents: bool = False,
) -> dict[str, Observed]:
    config = {} if data is None else {"x": read_config({"metadata": {}, "data": data})}
    return {
        CONFIG.title: Observed(known=True, served=True, kept=config),
        POOLS.title: Observed(
            known=True,
            served=pools is not None,
            kept={p["metadata"]["name"]: v for p in pools or () if (v := read_pool(p))},
        ),
        CILIUM_NODE.title: Observed(
            known=True,
            served=nodes is not None,
            kept={str(i): w for i, n in enumerate(nodes or ()) if (w := read_node(n))},
        ),
        AGENTS.title: Observed(
            known=True, served=True, kept={"kube-system/cilium": True} if agents else {}
        ),
    }


def pool(name: str, created: str, four: list[str], six: list[str]) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "creationTimestamp": created},
        "spec": {"ipv4": {"cidrs": four, "maskSize": 27}, "ipv6": {"cidrs": six, "maskSize": 123}},
    }


@pytest.mark.parametrize(
    ("four", "six", "meant"),
    [
        pytest.param("10.0.0.0/8", "", ("10.0.0.0/8",), id="one"),
        pytest.param("10.0.0.0/16 10.1.0.0/16", "", ("10.0.0.0/16", "10.1.0.0/16"), id="blanks"),
        pytest.param("10.0.0.0/16,10.1.0.0/16", "", ("10.0.0.0/16", "10.1.0.0/16"), id="commas"),
        pytest.param("10.0.0.0/16", " fd00::/104 ", ("10.0.0.0/16", "fd00::/104"), id="dual"),
        pytest.param("", "fd00::/104", ("fd00::/104",), id="IPv6 only"),
    ],
)
@pytest.mark.parametrize("mode", ["cluster-pool", "cluster-pool-v2beta", ""])
def test_cluster_pool(mode: str, four: str, six: str, meant: tuple[str, ...]) -> None:
    data = {"ipam": mode, "cluster-pool-ipv4-cidr": four, "cluster-pool-ipv6-cidr": six}
    assert SOURCE.find(board(data)).pod == meant


def test_multi_pool_takes_all_pools_the_oldest_first() -> None:
    pools = [
        pool("late", "2026-02-01T00:00:00Z", ["10.20.0.0/16"], []),
        pool("default", "2026-01-01T00:00:00Z", ["10.10.0.0/16"], ["fd00:10::/104"]),
    ]
    finding = SOURCE.find(board({"ipam": "multi-pool"}, pools=pools))
    assert finding.pod == ("10.10.0.0/16", "fd00:10::/104", "10.20.0.0/16")


def test_kubernetes_mode_leaves_it_to_the_cluster() -> None:
    assert SOURCE.find(board({"ipam": "kubernetes"})).defers


@pytest.mark.parametrize(
    ("mode", "node", "meant"),
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
def test_nodes_tell_where_a_cloud_hands_out(
    mode: str, node: dict[str, Any], meant: tuple[str, ...]
) -> None:
    assert SOURCE.find(board({"ipam": mode}, nodes=[node])).pod == meant


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(None, "there is no ConfigMap kube-system/cilium-config", id="no ConfigMap"),
        pytest.param({"ipam": "cluster-pool"}, "cluster-pool-ipv4-cidr", id="no ranges"),
        pytest.param({"ipam": "multi-pool"}, "no ciliumpodippools.cilium.io", id="no pools"),
        pytest.param({"ipam": "eni"}, "no ciliumnodes.cilium.io", id="no nodes"),
        pytest.param({"ipam": "moon"}, "known are cluster-pool", id="an unknown mode"),
    ],
)
def test_what_is_missing_is_named(data: dict[str, str] | None, said: str) -> None:
    finding = SOURCE.find(board(data))
    assert finding.pod == ()
    assert said in finding.lacks


def test_cilium_is_recognised_and_chaining_is_seen() -> None:
    assert Cilium(CONFIG).look(board({"ipam": "eni"}, agents=True)).strength == 2
    assert Cilium(CONFIG).look(board({"ipam": "eni"})).strength == 1
    assert Cilium(CONFIG).look(board(None)).strength == 0
    chained = {"ipam": "cluster-pool", "cni-chaining-mode": "generic-veth"}
    assert Cilium(CONFIG).look(board(chained, agents=True)).chained
    assert not Cilium(CONFIG).look(board({"cni-chaining-mode": "none"}, agents=True)).chained
