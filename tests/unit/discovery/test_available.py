"""What the metric `source_up` says of a configuration that is there and names no range."""

from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.discovery import openshift
from spidercoordinator.discovery.flannel import Flannel, config_maps
from spidercoordinator.discovery.kubeproxy import CONFIG, KubeProxy
from spidercoordinator.discovery.openshift import OpenShift
from spidercoordinator.discovery.ovnkubernetes import ovn_kubernetes
from spidercoordinator.discovery.source import Source, WatchedObjects
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
def test_it_is_not_available(source: Source, watched: WatchedObjects, good: Any, bad: Any) -> None:
    found = [observe(source, {watched: [each]})[watched.title].available for each in (good, bad)]
    assert found == [1, 0]
