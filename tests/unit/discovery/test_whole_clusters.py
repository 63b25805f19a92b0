"""What is decided of whole clusters, and that what cannot be read, or vanishes, changes none of it.

The clusters are in `clusters`; what is taken away is found by looking at them.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from spidercoordinator.core.cidrs.ranges import uncovered
from tests.unit.discovery.clusters import CLUSTERS
from tests.unit.discovery.deciding import (
    ANTREA_POOLS,
    CALICO_BLOCKS,
    CALICO_POOLS,
    CILIUM_NODES,
    CILIUM_POOLS,
    DAEMON_SETS,
    MAPS,
    NODES,
    SERVICE_CIDRS,
    SUBNETS,
    WATCHED,
    Cluster,
    Objects,
    Status,
    decide,
    degraded,
    lists,
    observe,
)
from tests.unit.discovery.observing import cilium, config_map, custom, daemon_set, node

NET_CONF = '{"Network": "10.244.0.0/16"}'
EVERY = pytest.mark.parametrize("name", CLUSTERS)


def expected(cluster: Cluster) -> tuple[str, list[str], list[str]]:
    return cluster.type, cluster.pod, cluster.service


@EVERY
def test_the_ranges(name: str) -> None:
    status = decide(observe(CLUSTERS[name].objects))
    assert lists(status) == expected(CLUSTERS[name])
    assert status["phase"] == "Synced"


@EVERY
def test_what_may_not_be_listed_changes_nothing_after_a_restart(name: str) -> None:
    cluster = CLUSTERS[name]
    before = decide(observe(cluster.objects))
    for title in WATCHED:
        status = decide(observe(cluster.objects, forbidden=[title]), before)
        assert lists(status) == expected(cluster), title
        assert status["phase"] == "Synced", title


@EVERY
def test_nor_while_it_runs(name: str) -> None:
    cluster = CLUSTERS[name]
    before = decide(observe(cluster.objects))
    for title in WATCHED:
        observed = observe(cluster.objects, before=observe(cluster.objects), forbidden=[title])
        assert lists(decide(observed, before)) == expected(cluster), title


@EVERY
def test_nor_if_nothing_can_be_read(name: str) -> None:
    cluster = CLUSTERS[name]
    before = decide(observe(cluster.objects))
    status = decide(observe(cluster.objects, forbidden=WATCHED), before)
    assert lists(status) == expected(cluster)
    assert "may not list" in degraded(status)


@EVERY
def test_it_is_no_evidence_for_none_at_the_first_start(name: str) -> None:
    cluster = CLUSTERS[name]
    whole = observe(cluster.objects)
    for title, found in whole.items():
        status = decide(observe(cluster.objects, forbidden=[title]))
        if found.entries and cluster.type != "none":
            assert status["podCIDRType"] != "none", title


@EVERY
def test_a_kind_that_vanishes_changes_nothing(name: str) -> None:
    cluster = CLUSTERS[name]
    before = decide(observe(cluster.objects))
    for kind in cluster.objects.keys() - {MAPS, NODES, DAEMON_SETS, CALICO_BLOCKS}:
        rest = {other: given for other, given in cluster.objects.items() if other != kind}
        status = decide(observe(rest), before)
        assert lists(status) == expected(cluster), kind


@EVERY
def test_a_configuration_that_is_deleted_changes_nothing(name: str) -> None:
    cluster = CLUSTERS[name]
    before = decide(observe(cluster.objects))
    for index, gone in enumerate(cluster.objects.get(MAPS, [])):
        rest = [each for at, each in enumerate(cluster.objects[MAPS]) if at != index]
        status = decide(observe({**cluster.objects, MAPS: rest}), before)
        assert lists(status) == expected(cluster), gone["metadata"]["name"]
        was_used = lists(decide(observe({**cluster.objects, MAPS: rest})))[1] != cluster.pod
        assert degraded(status) or not was_used, gone["metadata"]["name"]


KUBEADM_ALONE = CLUSTERS["Calico with several pools"].objects.keys() - {
    DAEMON_SETS,
    CALICO_POOLS,
    CALICO_BLOCKS,
}


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Calico with several pools", "Calico IPPool"),
        ("Cilium, multi-pool", "CiliumPodIPPool"),
        ("Cilium, kubernetes", "ConfigMap kube-system/kubeadm-config"),
    ],
)
def test_another_type_counts_once_its_ranges_can_be_read(name: str, title: str) -> None:
    cluster = CLUSTERS["Calico with several pools"].objects
    before = decide(observe({kind: cluster[kind] for kind in KUBEADM_ALONE}))
    status = decide(observe(CLUSTERS[name].objects, forbidden=[title]), before)
    assert status["phase"] == "Synced"
    assert lists(status) == lists(before) == ("cluster", ["10.244.0.0/16"], ["10.96.0.0/16"])
    assert "podCIDRType stays cluster, although" in degraded(status)
    assert "may not list" in degraded(status)
    assert lists(decide(observe(CLUSTERS[name].objects), status)) == expected(CLUSTERS[name])


def test_the_cluster_s_type_does_so_too() -> None:
    before = decide(observe(CLUSTERS["Calico with several pools"].objects))
    flannel = CLUSTERS["flannel, without kubeadm"].objects
    status = decide(observe(flannel, forbidden=["ConfigMap kube-flannel-cfg"]), before)
    assert lists(status) == lists(before)
    assert "podCIDRType stays calico, although cluster is found" in degraded(status)
    assert lists(decide(observe(flannel), status))[:2] == ("cluster", ["10.5.0.0/16"])


def without(kind: str, name: str, cluster: str) -> Objects:
    objects = CLUSTERS[cluster].objects
    return {**objects, kind: [each for each in objects[kind] if each["metadata"]["name"] != name]}


def test_a_pool_that_is_deleted_is_dropped() -> None:
    name = "Calico with several pools"
    before = decide(observe(CLUSTERS[name].objects))
    status = decide(observe(without(CALICO_POOLS, "six", name)), before)
    assert status["overlayPodCIDR"] == ["10.244.0.0/17", "172.21.0.0/16"]


def test_one_that_cannot_be_understood_after_a_restart_is_not() -> None:
    name = "Calico with several pools"
    before = decide(observe(CLUSTERS[name].objects))
    odd = {
        **CLUSTERS[name].objects,
        CALICO_POOLS: [
            each if each["metadata"]["name"] != "six" else custom("six", {"allowedUses": 6})
            for each in CLUSTERS[name].objects[CALICO_POOLS]
        ],
    }
    odd[CALICO_POOLS][1]["spec"]["cidr"] = "fd00::/48"
    status = decide(observe(odd), before)
    assert lists(status) == lists(before)
    assert "IPPool six cannot be understood" in degraded(status)


@pytest.mark.parametrize("emptied", [None, {}, [], "text"])
@EVERY
def test_an_object_that_lost_its_content_changes_nothing(name: str, emptied: Any) -> None:
    """Whatever emptied it, somebody's mistake or a schema that prunes: it is no removal."""
    cluster = CLUSTERS[name]
    before = decide(observe(cluster.objects))
    for kind, given in cluster.objects.items():
        for index, each in enumerate(given):
            part = "data" if kind == MAPS else "spec"
            if kind in {NODES, DAEMON_SETS, CILIUM_NODES} or part not in each:
                continue
            odd = [*given[:index], {**each, part: emptied}, *given[index + 1 :]]
            objects = {**cluster.objects, kind: odd}
            status = decide(observe(objects), before)
            assert lists(status) == expected(cluster), (kind, index)
            assert lists(decide(observe(objects, before=observe(cluster.objects)), before)) == (
                expected(cluster)
            ), (kind, index)


@EVERY
def test_a_range_that_is_none_any_more_is_no_removal_and_is_named(name: str) -> None:
    cluster = CLUSTERS[name]
    before = decide(observe(cluster.objects))
    for kind in {CALICO_POOLS, ANTREA_POOLS, SUBNETS, CILIUM_POOLS} & cluster.objects.keys():
        for index, each in enumerate(cluster.objects[kind]):
            odd = json.loads(re.sub(r"[0-9a-f.:]+/\d+", "odd", json.dumps(each)))
            given = [*cluster.objects[kind]]
            given[index] = odd
            status = decide(observe({**cluster.objects, kind: given}), before)
            assert lists(status) == expected(cluster), (kind, index)
            told = "odd" in degraded(status) or "cannot be understood" in degraded(status)
            unused = lists(decide(observe({**cluster.objects, kind: given}))) == expected(cluster)
            assert told or unused, (kind, index)


def test_an_object_that_lost_its_range_is_named() -> None:
    name = "Calico with several pools"
    before = decide(observe(CLUSTERS[name].objects))
    pools = CLUSTERS[name].objects[CALICO_POOLS]
    lost = [custom("six", {}) if each["metadata"]["name"] == "six" else each for each in pools]
    status = decide(observe({**CLUSTERS[name].objects, CALICO_POOLS: lost}), before)
    assert lists(status) == lists(before)
    assert "IPPool six cannot be understood: it has no spec.cidr" in degraded(status)


MIGRATIONS = {
    "flannel to Calico": (
        "Calico with several pools",
        [daemon_set("kube-flannel", "kube-flannel-ds")],
        [config_map("kube-flannel", "kube-flannel-cfg", {"net-conf.json": NET_CONF})],
    ),
    "flannel of Talos to Cilium": (
        "Cilium, cluster-pool",
        [daemon_set("kube-system", "kube-flannel")],
        [config_map("kube-system", "kube-flannel-cfg", {"net-conf.json": NET_CONF})],
    ),
    "Kube-OVN to Calico": (
        "Calico with several pools",
        CLUSTERS["Kube-OVN"].objects[DAEMON_SETS],
        [],
    ),
    "OVN-Kubernetes to Cilium": (
        "Cilium, cluster-pool",
        CLUSTERS["OVN-Kubernetes"].objects[DAEMON_SETS],
        [config_map("ovn-kubernetes", "ovn-config", {"net_cidr": "10.128.0.0/14/23"})],
    ),
}


@pytest.mark.parametrize("name", MIGRATIONS)
def test_two_networks_amid_a_migration_are_both_named(name: str) -> None:
    target, agents, maps = MIGRATIONS[name]
    objects = {**CLUSTERS["Kube-OVN"].objects, **CLUSTERS[target].objects}
    if "Kube-OVN" not in name:
        objects.pop(SUBNETS)
    objects[NODES] = [node("a", "10.244.0.0/24")]
    objects[DAEMON_SETS] = [*CLUSTERS[target].objects[DAEMON_SETS], *agents]
    objects[MAPS] = [*CLUSTERS[target].objects[MAPS], *maps]
    status = decide(observe(objects))
    assert status["podCIDRType"] == CLUSTERS[target].type
    for each in agents:
        meta = each["metadata"]
        said = f"DaemonSet {meta['namespace']}/{meta['name']} has ready pods, too, and"
        assert said in degraded(status)
    objects[DAEMON_SETS] = CLUSTERS[target].objects[DAEMON_SETS]
    assert "has ready pods, too" not in degraded(decide(observe(objects), status))


def test_agents_that_share_the_range_are_no_migration() -> None:
    objects = {
        **CLUSTERS["RKE2 with its defaults and Calico"].objects,
        MAPS: [config_map("kube-flannel", "kube-flannel-cfg", {"net-conf.json": NET_CONF})],
        CALICO_POOLS: [custom("default-ipv4-ippool", {"cidr": "10.244.0.0/16"})],
        NODES: [node("a", "10.244.0.0/24")],
    }
    objects[DAEMON_SETS] = [
        *objects[DAEMON_SETS],
        daemon_set("kube-flannel", "kube-flannel-ds"),
        daemon_set("tenant", "kube-flannel"),
    ]
    assert "too, and" not in degraded(decide(observe(objects)))


def test_what_pods_have_beside_the_cluster_s_ranges_never_stands_for_them() -> None:
    objects = CLUSTERS["Antrea with IPPools"].objects
    forbidden = [title for title in WATCHED if title != "Antrea IPPool"]
    assert decide(observe(objects, forbidden=forbidden))["phase"] == "NotReady"
    before = decide(observe(objects))
    gone = {**objects, MAPS: [], NODES: []}
    for given in (observe(gone), observe(objects, forbidden=forbidden)):
        assert lists(decide(given, before))[:2] == lists(before)[:2]


def test_an_unused_pool_counts_where_nothing_is_known_of_addresses_in_use() -> None:
    name = "Calico with several pools"
    status = decide(observe(CLUSTERS[name].objects, forbidden=["Calico IPAM block"]))
    assert "172.20.0.0/16" in status["overlayPodCIDR"]


@pytest.mark.parametrize(
    ("cluster", "agents"), [("OVN-Kubernetes", "ovnkube-node"), ("Kube-OVN", "kube-ovn-cni")]
)
def test_the_ranges_of_agents_that_are_removed_are_followed_by_the_cluster_s(
    cluster: str, agents: str
) -> None:
    before = decide(observe(CLUSTERS[cluster].objects))
    status = decide(observe(without(DAEMON_SETS, agents, cluster)), before)
    assert "10.244.0.0/16" in status["overlayPodCIDR"]
    assert not set(CLUSTERS[cluster].pod[:1]) & set(status["overlayPodCIDR"])


def test_left_overs_are_given_up_for_both_families() -> None:
    status = decide(observe(without(DAEMON_SETS, "kube-ovn-cni", "Kube-OVN")))
    assert status["overlayPodCIDR"] == ["10.244.0.0/16"]
    assert "names 10.16.0.0/16, fd16::/112, 10.66.0.0/16" in degraded(status)


def test_addresses_that_nodes_give_are_no_sign_of_another_cilium() -> None:
    assert "signs of cilium" not in degraded(
        decide(observe(CLUSTERS["GKE with Dataplane V2"].objects))
    )


@pytest.mark.parametrize(
    "config", [{"ipam": "cluster-pool", "cluster-pool-ipv4-cidr": "10.9.0.0/16"}, {"ipam": "eni"}]
)
def test_a_cilium_that_names_others_is(config: dict[str, str]) -> None:
    objects = {
        **CLUSTERS["GKE with Dataplane V2"].objects,
        MAPS: [config_map("kube-system", "cilium-config", config)],
        CILIUM_POOLS: [],
    }
    assert "signs of cilium" in degraded(decide(observe(objects)))


def test_a_range_of_an_unknown_source_is_not_narrowed_to_today_s_nodes() -> None:
    objects: Objects = {
        SERVICE_CIDRS: CLUSTERS["EKS"].objects[SERVICE_CIDRS],
        NODES: [node("a", "10.5.0.0/24")],
        CILIUM_NODES: [],
        DAEMON_SETS: [daemon_set("kube-system", "kube-proxy")],
    }
    known: Status = {
        "podCIDRType": "cluster",
        "overlayPodCIDR": ["10.5.0.0/16"],
        "sources": {"overlayPodCIDR": "a source of an earlier release"},
        "observedGeneration": 1,
    }
    status = decide(observe(objects), known)
    assert status["overlayPodCIDR"] == ["10.5.0.0/16"]
    assert not uncovered(["10.5.0.0/24"], status["overlayPodCIDR"])
    assert "last known" in degraded(status)


def test_ranges_that_kube_router_left_on_nodes_do_not_hide_flannel_s() -> None:
    left = {"kube-router.io/pod-cidr": "10.9.0.0/24"}
    network = config_map("kube-flannel", "kube-flannel-cfg", {"net-conf.json": NET_CONF})
    objects: Objects = {
        NODES: [node("a", "10.244.0.0/24", annotations=left)],
        DAEMON_SETS: [daemon_set("kube-flannel", "kube-flannel-ds")],
        MAPS: [network],
    }
    status = decide(observe(objects))
    assert status["overlayPodCIDR"] == ["10.244.0.0/16"]
    assert "kube-router's annotations name 10.9.0.0/24 for node a" in degraded(status)


def in_cloud(mode: str, name: str, subnet: dict[str, Any] | None, *addresses: str) -> Any:
    """A CiliumNode with one interface, whose subnet the cloud may not have told yet."""
    ipam = {"ipam": {"pool": {each: {"resource": "eni-1"} for each in addresses}}}
    status = {
        "eni": {"eni": {"enis": {"eni-1": {"subnet": subnet}}}},
        "azure": {"azure": {"interfaces": [{"subnet": subnet}]}},
        "alibabacloud": {"alibaba-cloud": {"enis": {"eni-1": {"vswitch": subnet}}}},
    }
    return custom(name, ipam, status={} if subnet is None else status[mode])


@pytest.mark.parametrize("lost", [None, {}, {"id": "subnet-2"}], ids=["all", "both", "its range"])
@pytest.mark.parametrize("mode", ["eni", "azure", "alibabacloud"])
def test_a_node_in_a_cloud_whose_subnets_are_gone_from_its_status_narrows_nothing(
    mode: str, lost: dict[str, Any] | None
) -> None:
    def cluster(*nodes: Any) -> Objects:
        return {
            NODES: [node("a"), node("b")],
            DAEMON_SETS: [daemon_set("kube-system", "cilium")],
            MAPS: [cilium(ipam=mode)],
            CILIUM_NODES: list(nodes),
        }

    whole = in_cloud(mode, "a", {"cidr": "10.1.2.0/24"}, "10.1.2.3", "10.1.2.4")
    other = in_cloud(mode, "b", {"cidr": "10.1.4.0/24"}, "10.1.4.8", "10.1.4.9")
    emptied = in_cloud(mode, "b", lost, "10.1.4.8", "10.1.4.9")
    before = decide(observe(cluster(whole, other)))
    assert lists(before)[:2] == ("cilium", ["10.1.2.0/24", "10.1.4.0/24"])
    restarted = observe(cluster(whole, emptied))
    watching = observe(cluster(whole, emptied), before=observe(cluster(whole, other)))
    for observed in (restarted, watching):
        status = decide(observed, before)
        assert lists(status) == lists(before)
        assert "CiliumNode b has addresses in no subnet of its status, such as 10.1.4.8" in (
            degraded(status)
        )
    # Where nothing was known, its addresses are better than nothing.
    assert lists(decide(restarted))[1] == ["10.1.2.0/24", "10.1.4.8/31"]
    # One that just joined has neither, and a node that is gone takes its subnet along.
    for gone, joined in ((), [in_cloud(mode, "c", None)]), ((other,), []):
        status = decide(observe(cluster(whole, *gone, *joined)), before)
        assert lists(status)[1] == ["10.1.2.0/24", *(["10.1.4.0/24"] if gone else [])]
        assert "in no subnet" not in degraded(status)
