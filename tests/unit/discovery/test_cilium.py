from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from spidercoordinator.core.cidrs.reports import Presence
from spidercoordinator.discovery import cilium
from spidercoordinator.discovery.cilium import (
    POOLS,
    Cilium,
    CiliumAddresses,
    cilium_config,
    read_config,
    read_pool,
)
from spidercoordinator.discovery.ciliumnodes import CILIUM_NODE, read_node
from spidercoordinator.discovery.daemonsets import Agents
from spidercoordinator.discovery.source import Observation, ReadState
from tests.unit.discovery.observing import listed

CONFIG = cilium_config("kube-system", "cilium-config")
SOURCE = CiliumAddresses(CONFIG)
AGENTS = cilium.agents(["kube-system"])
DETECTOR = Cilium(CONFIG, AGENTS)


def observations(
    data: dict[str, str] | None,
    *,
    pools: list[dict[str, Any]] | None = None,
    nodes: list[dict[str, Any]] | None = None,
    agents: Agents = Agents.NONE,
) -> dict[str, Observation]:
    config = {} if data is None else {"x": read_config({"metadata": {}, "data": data})}
    return {
        CONFIG.title: Observation(ReadState.READ, entries=config),
        POOLS.title: Observation(
            ReadState.NOT_SERVED if pools is None else ReadState.READ,
            entries={p["metadata"]["name"]: v for p in pools or () if (v := read_pool(p))},
        ),
        CILIUM_NODE.title: Observation(
            ReadState.NOT_SERVED if nodes is None else ReadState.READ,
            entries={
                str(i): w
                for i, n in enumerate(listed(CILIUM_NODE, nodes or []))
                if (w := read_node(n))
            },
        ),
        AGENTS.title: Observation(
            ReadState.READ, entries={} if agents is Agents.NONE else {"kube-system/cilium": agents}
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


@pytest.mark.parametrize(
    ("ipam", "beside"),
    [
        pytest.param({"podCIDRs": ["10.10.3.0/24"]}, (), id="of the pool"),
        pytest.param({"podCIDRs": ["10.0.3.0/24"]}, ("10.0.3.0/24",), id="of the former pool"),
        pytest.param(
            {"pools": {"allocated": [{"pool": "gone", "cidrs": ["10.9.0.0/27", "fd00::/123"]}]}},
            ("10.9.0.0/27", "fd00::/123"),
            id="of a pool that is deleted",
        ),
        pytest.param({}, (), id="a node that just joined"),
    ],
)
@pytest.mark.parametrize("mode", ["cluster-pool", "multi-pool"])
def test_what_nodes_have_beside_the_pool_counts_and_is_said(
    mode: str, ipam: dict[str, Any], beside: tuple[str, ...]
) -> None:
    data = {"ipam": mode, "cluster-pool-ipv4-cidr": "10.10.0.0/16"}
    pools = [pool("default", "2026-01-01T00:00:00Z", ["10.10.0.0/16"], [])]
    nodes = [
        {"metadata": {"name": "a"}, "spec": {"ipam": ipam}},
        {"metadata": {"name": "b"}, "spec": {"ipam": {"podCIDRs": ["10.10.4.0/24"]}}},
    ]
    found = SOURCE.report(observations(data, pools=pools, nodes=nodes))
    assert found.pod == ("10.10.0.0/16", *beside)
    assert all(each in found.warning for each in ("10.10.0.0/16", *beside) if beside)
    assert bool(found.warning) == bool(beside)


def test_adjoining_pools_hold_what_nodes_have_of_both() -> None:
    data = {"ipam": "cluster-pool", "cluster-pool-ipv4-cidr": "10.0.0.0/24 10.0.1.0/24"}
    nodes = [
        {"metadata": {"name": str(each)}, "spec": {"ipam": {"podCIDRs": [f"10.0.{each}.0/24"]}}}
        for each in (0, 1)
    ]
    assert SOURCE.report(observations(data, nodes=nodes)).warning == ""


def test_kubernetes_mode_leaves_it_to_the_cluster() -> None:
    assert SOURCE.report(observations({"ipam": "kubernetes"})).defers_to_cluster


@pytest.mark.parametrize(
    ("mode", "cidrs", "defers"),
    [
        pytest.param("delegated-plugin", [], True, id="another plugin gives addresses"),
        pytest.param("delegated-plugin", ["10.1.0.0/24"], False, id="and CiliumNodes tell them"),
        pytest.param("eni", [], False, id="Cilium itself does"),
    ],
)
def test_a_delegated_plugin_leaves_it_to_the_cluster_s_sources(
    mode: str, cidrs: list[str], defers: bool
) -> None:
    node = {"metadata": {"name": "a"}, "spec": {"ipam": {"podCIDRs": cidrs}}}
    found = SOURCE.report(observations({"ipam": mode}, nodes=[node]))
    assert (found.pod, found.defers_to_cluster) == (tuple(cidrs), defers)


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


POOL_MODE = {"ipam": "cluster-pool", "cluster-pool-ipv4-cidr": "10.0.0.0/8"}
NODE = {"spec": {"ipam": {"podCIDRs": ["10.0.1.0/24"]}}}


@pytest.mark.parametrize(
    ("observed", "presence"),
    [
        pytest.param(observations(POOL_MODE, agents=Agents.READY), Presence.RUNNING, id="runs"),
        pytest.param(
            observations(POOL_MODE, agents=Agents.STARTING), Presence.UNKNOWN, id="restarting"
        ),
        pytest.param(observations(POOL_MODE), Presence.LEFT_OVERS, id="a stale ConfigMap"),
        pytest.param(
            observations(None, agents=Agents.READY), Presence.DOUBTFUL, id="agents, no ConfigMap"
        ),
        pytest.param(
            observations(None, nodes=[NODE], agents=Agents.READY),
            Presence.UNKNOWN,
            id="its ConfigMap is elsewhere",
        ),
        pytest.param(
            observations(None, agents=Agents.ELSEWHERE), Presence.ABSENT, id="a tenant's DaemonSet"
        ),
        pytest.param(observations(None), Presence.ABSENT, id="nothing"),
    ],
)
def test_cilium_runs_where_ready_agents_have_their_config(
    observed: dict[str, Observation], presence: Presence
) -> None:
    assert DETECTOR.detect(observed).presence is presence


@pytest.mark.parametrize(
    ("mode", "chained"), [("generic-veth", True), ("none", False), ("", False)]
)
def test_cilium_that_leaves_addresses_to_others_is_chained(mode: str, chained: bool) -> None:
    data = {"ipam": "cluster-pool", "cni-chaining-mode": mode}
    assert DETECTOR.detect(observations(data, agents=Agents.READY)).chained == chained


@pytest.mark.parametrize("title", [CONFIG.title, AGENTS.title])
def test_what_cannot_be_read_is_never_no_cilium(title: str) -> None:
    observed = observations(POOL_MODE, agents=Agents.READY)
    observed[title] = Observation(ReadState.FAILED, "may not list")
    found = DETECTOR.detect(observed)
    assert (found.presence, found.unread) == (Presence.UNKNOWN, "may not list")


@pytest.mark.parametrize(
    "state", [ReadState.FAILED, ReadState.NOT_READ], ids=["refused", "not read yet"]
)
def test_nodes_that_cannot_be_read_leave_open_whether_its_config_is_elsewhere(
    state: ReadState,
) -> None:
    observed = observations(None, agents=Agents.READY)
    error = "may not list" if state is ReadState.FAILED else ""
    observed[CILIUM_NODE.title] = Observation(state, error)
    found = DETECTOR.detect(observed)
    assert found.presence is Presence.UNKNOWN
    assert found.unread == (error or f"{CILIUM_NODE.title}: not read yet")
    # Nodes do not matter where there are no agents.
    observed[AGENTS.title] = Observation(ReadState.READ)
    assert DETECTOR.detect(observed).presence is Presence.ABSENT


@pytest.mark.parametrize(
    ("mode", "title"),
    [
        ("cluster-pool", CONFIG.title),
        ("kubernetes", CONFIG.title),
        ("multi-pool", POOLS.title),
        ("eni", CILIUM_NODE.title),
        ("moon", CONFIG.title),
    ],
)
def test_every_mode_tells_what_could_not_be_read(mode: str, title: str) -> None:
    observed = observations(
        {"ipam": mode, "cluster-pool-ipv4-cidr": "10.0.0.0/8"}, pools=[], nodes=[]
    )
    observed[title] = replace(observed[title], state=ReadState.FAILED, error="may not list")
    assert SOURCE.report(observed).unread == "may not list"
