"""What a node that joins changes: nothing, wherever something tells the whole range."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.selection import DiscoveredCIDRs, select_cidrs
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.flannel import Flannel, config_maps
from spidercoordinator.discovery.k0s import CONFIG as K0S_CONFIG
from spidercoordinator.discovery.k0s import K0s
from spidercoordinator.discovery.k3s import K3s
from spidercoordinator.discovery.kubeproxy import CONFIG as PROXY_CONFIG
from spidercoordinator.discovery.kubeproxy import KubeProxy
from spidercoordinator.discovery.nodes import Nodes
from spidercoordinator.discovery.source import Source
from tests.unit.discovery.observing import Found, config_map, node, observe

FLANNEL = Flannel(config_maps(("kube-system",)))
NET_CONF = config_map(
    "kube-system", "kube-flannel-cfg", {"net-conf.json": json.dumps({"Network": "10.42.0.0/16"})}
)
PROXY = config_map("kube-system", "kube-proxy", {"config.conf": "clusterCIDR: 10.42.0.0/16\n"})
K0S = {"metadata": {"name": "k0s"}, "spec": {"network": {"podCIDR": "10.42.0.0/16"}}}
SERVER = node("server", "10.42.0.0/24", annotations={"k3s.io/node-args": '["server"]'})

OBJECTS: list[Any] = [
    pytest.param(K3s(), nodes.WATCHED, SERVER, id="k3s at its default"),
    pytest.param(FLANNEL, FLANNEL.config_maps[0], NET_CONF, id="flannel"),
    pytest.param(KubeProxy(), PROXY_CONFIG, PROXY, id="kube-proxy"),
    pytest.param(K0s(), K0S_CONFIG, K0S, id="k0s"),
]


def gappy(count: int) -> list[Any]:
    """Nodes whose ranges have gaps between, so that none can be merged with another."""
    return [node(f"node-{number}", f"10.42.{2 * number}.0/24") for number in range(count)]


def discovered(source: Source, found: Found, joined: list[Any]) -> DiscoveredCIDRs:
    both = (source, Nodes())
    found = found | {nodes.WATCHED: [*found[nodes.WATCHED], *joined]}
    observations = {title: each for one in both for title, each in observe(one, found).items()}
    reports = [each.report(observations) for each in both]
    return select_cidrs(SpiderCoordinatorSpec.model_validate({"podCIDRType": "cluster"}), reports)


@pytest.mark.parametrize(("source", "watched", "obj"), OBJECTS)
def test_a_hundred_nodes_more_change_nothing(source: Source, watched: Any, obj: Any) -> None:
    before, after = (
        discovered(source, {nodes.WATCHED: [], watched: [obj]}, gappy(count)) for count in (3, 103)
    )
    assert before == after
    assert after.pod.cidrs == ("10.42.0.0/16",)
    assert (after.partial, after.conflicts) == ((), ())


def test_without_them_each_gap_is_a_range() -> None:
    found = discovered(KubeProxy(), {nodes.WATCHED: []}, gappy(100))
    assert len(found.pod.cidrs) == 100
    assert found.partial == ("node.spec.podCIDRs",)
