"""What the metric `source_entries` counts of a configuration that is there and names no range."""

from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.discovery import openshift
from spidercoordinator.discovery.flannel import Flannel, config_maps
from spidercoordinator.discovery.kubeproxy import CONFIG, KubeProxy
from spidercoordinator.discovery.openshift import OpenShift
from spidercoordinator.discovery.ovnkubernetes import ovn_kubernetes
from spidercoordinator.discovery.readings import Reading, readings
from spidercoordinator.discovery.source import (
    Observation,
    ReadState,
    Source,
    WatchedObjects,
)
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import NODES
from tests.unit.discovery.observing import config_map, observe

FLANNEL = Flannel(config_maps(("kube-system",)))
OVN = ovn_kubernetes(("kube-system",))
NET = {"clusterNetwork": [{"cidr": "10.128.0.0/14"}], "serviceNetwork": ["172.30.0.0/16"]}


@pytest.mark.parametrize(
    ("source", "watched", "good", "bad"),
    [
        pytest.param(
            FLANNEL,
            FLANNEL.config_maps[0],
            config_map("kube-flannel", "c", {"net-conf.json": '{"Network": "10.1.0.0/16"}'}),
            config_map("kube-flannel", "c", {"net-conf.json": "{}"}),
            id="flannel",
        ),
        pytest.param(
            KubeProxy(),
            CONFIG,
            config_map("kube-system", "kube-proxy", {"config.conf": "clusterCIDR: 10.1.0.0/16"}),
            config_map("kube-system", "kube-proxy", {"config.conf": "mode: ipvs"}),
            id="kube-proxy",
        ),
        pytest.param(
            OVN,
            OVN.config,
            config_map(
                "ovn-kubernetes", "c", {"net_cidr": "10.1.0.0/16", "svc_cidr": "10.2.0.0/16"}
            ),
            config_map("ovn-kubernetes", "c", {"net_cidr": "10.1.0.0/16"}),
            id="OVN-Kubernetes",
        ),
        pytest.param(
            OpenShift(),
            openshift.NETWORK,
            {"metadata": {"name": "cluster"}, "status": NET},
            {"metadata": {"name": "cluster"}, "status": NET | {"serviceNetwork": []}},
            id="OpenShift",
        ),
    ],
)
def test_it_tells_nothing(source: Source, watched: WatchedObjects, good: Any, bad: Any) -> None:
    for each, entries in ((good, 1), (bad, 0)):
        [reading] = readings([watched], observe(source, {watched: [each]}))
        assert (reading.readable, reading.entries) == (True, entries)


def test_what_is_watched_for_two_ends_is_one_reading() -> None:
    nodes = Selection((NODES,))
    one, other = (WatchedObjects(title, nodes, lambda given: given["x"]) for title in "ab")
    observations = {
        "a": Observation(ReadState.READ, entries={"/n": 1, "/m": None}, last_read=7.0),
        "b": Observation(ReadState.FAILED, entries={"/n": 2}, last_read=5.0),
    }
    assert readings([one, other], observations) == [
        Reading("nodes", "", "", readable=False, entries=2, last_read=5.0)
    ]
