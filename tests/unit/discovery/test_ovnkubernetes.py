from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.core.cidrs.selection import select_cidrs
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.ovnkubernetes import ovn_kubernetes
from spidercoordinator.discovery.source import WatchedObjects
from tests.unit.discovery.observing import FORBIDDEN, Found, config_map, daemon_set, node, observe

SOURCE = ovn_kubernetes(("kube-system",))
AGENTS = daemon_set("ovn-kubernetes", "ovnkube-node")

KUBEADM = SourceReport("kubeadm-config", pod=("10.244.0.0/16",), service=("10.96.0.0/16",))
SPEC = SpiderCoordinatorSpec(pod_cidr_type="cluster")


def ovn_config(net_cidr: Any, svc_cidr: Any, namespace: str = "ovn-kubernetes") -> dict[str, Any]:
    data = {"net_cidr": net_cidr, "svc_cidr": svc_cidr, "mtu": "1400"}
    return config_map(namespace, "ovn-config", data)


def ovnkube_config(text: str, namespace: str = "openshift-ovn-kubernetes") -> dict[str, Any]:
    return config_map(namespace, "ovnkube-config", {"ovnkube.conf": text})


def report(found: Found) -> SourceReport:
    return SOURCE.report(observe(SOURCE, found))


@pytest.mark.parametrize(
    ("net_cidr", "svc_cidr", "pod", "service"),
    [
        pytest.param(
            "10.128.0.0/14/23",
            "172.30.0.0/16",
            ("10.128.0.0/14",),
            ("172.30.0.0/16",),
            id="with the length of each node's part",
        ),
        pytest.param(
            "10.244.0.0/16",
            "10.96.0.0/16",
            ("10.244.0.0/16",),
            ("10.96.0.0/16",),
            id="without it",
        ),
        pytest.param(
            "10.244.0.0/16/24,fd00:10:244::/48/64",
            "10.96.0.0/16,fd00:10:96::/112",
            ("10.244.0.0/16", "fd00:10:244::/48"),
            ("10.96.0.0/16", "fd00:10:96::/112"),
            id="both families",
        ),
        pytest.param(
            ' "10.128.0.0/14/23, 10.200.0.0/16/24"',
            '"172.30.0.0/16"',
            ("10.128.0.0/14", "10.200.0.0/16"),
            ("172.30.0.0/16",),
            id="quotes and several",
        ),
    ],
)
def test_the_subnets_of_ovn_config(
    net_cidr: str, svc_cidr: str, pod: tuple[str, ...], service: tuple[str, ...]
) -> None:
    found = report({SOURCE.config: [ovn_config(net_cidr, svc_cidr)], SOURCE.agents: [AGENTS]})
    assert (found.pod, found.service, found.missing) == (pod, service, "")


@pytest.mark.parametrize(
    ("net_cidr", "svc_cidr", "missing"),
    [
        pytest.param("", "172.30.0.0/16", "has no net_cidr", id="no pods"),
        pytest.param("10.128.0.0/14", None, "has no svc_cidr", id="no services"),
        pytest.param(None, 7, "has no net_cidr and no svc_cidr", id="neither"),
    ],
)
def test_a_missing_key_is_named(net_cidr: Any, svc_cidr: Any, missing: str) -> None:
    found = report({SOURCE.config: [ovn_config(net_cidr, svc_cidr)]})
    assert found.missing == f"ConfigMap ovn-kubernetes/ovn-config: {missing}"


MICROSHIFT = """\
[default]
mtu="1400"
cluster-subnets="10.42.0.0/16/24,fd01::/48/64"
encap-port=6081
enable-lflow-cache

[kubernetes]
service-cidrs="10.43.0.0/16,fd02::/112"
"""


def test_the_subnets_of_ovnkube_conf() -> None:
    agents = daemon_set("openshift-ovn-kubernetes", "ovnkube-node")
    found = report({SOURCE.ovnkube: [ovnkube_config(MICROSHIFT)], SOURCE.agents: [agents]})
    assert found.pod == ("10.42.0.0/16", "fd01::/48")
    assert found.service == ("10.43.0.0/16", "fd02::/112")


def test_an_ovnkube_conf_of_other_settings_is_passed_over() -> None:
    conf = ovnkube_config("[default]\ntransport = no-overlay\n", "ovn-kubernetes")
    found = report({SOURCE.ovnkube: [conf]})
    assert (found.pod, found.missing) == ((), "there is no ConfigMap ovn-config")


def test_an_ovnkube_conf_that_is_no_ini_file_is_named() -> None:
    found = report({SOURCE.ovnkube: [ovnkube_config("cluster-subnets=10.1.0.0/16")]})
    assert "openshift-ovn-kubernetes/ovnkube-config: ovnkube.conf is no INI file" in found.missing


def test_a_config_map_of_a_tenant_is_no_evidence() -> None:
    tenant = [ovn_config("10.66.0.0/16", "10.67.0.0/16", namespace="tenant")]
    of_tenant = [ovnkube_config(MICROSHIFT, namespace="tenant")]
    found = report({SOURCE.config: tenant, SOURCE.ovnkube: of_tenant})
    assert (found.pod, found.service) == ((), ())


@pytest.mark.parametrize(
    ("agents", "supersedes"),
    [
        pytest.param([AGENTS], True, id="running"),
        pytest.param(
            [daemon_set("ovn-kubernetes", "ovnkube-node", ready=0)], True, id="restarting"
        ),
        pytest.param(FORBIDDEN, True, id="nobody can tell"),
        pytest.param([daemon_set("tenant", "ovnkube-node")], False, id="a tenant's"),
        pytest.param([], False, id="none"),
    ],
)
def test_with_its_agents_the_cluster_s_own_ranges_do_not_count(
    agents: Any, supersedes: bool
) -> None:
    found = report({SOURCE.config: [ovn_config("10.128.0.0/14", "")], SOURCE.agents: agents})
    assert found.pod == ("10.128.0.0/14",)
    assert found.supersedes_cluster == supersedes


@pytest.mark.parametrize("hidden", [SOURCE.config, SOURCE.ovnkube])
@pytest.mark.parametrize(
    ("agents", "supersedes"),
    [
        pytest.param([AGENTS], True, id="running"),
        pytest.param(FORBIDDEN, True, id="nobody can tell"),
        pytest.param([], False, id="none"),
    ],
)
def test_ranges_of_its_own_that_cannot_be_read_are_not_those_of_the_cluster(
    hidden: WatchedObjects, agents: Any, supersedes: bool
) -> None:
    found = report({hidden: FORBIDDEN, SOURCE.agents: agents})
    assert found.supersedes_cluster is supersedes
    assert "may not list configmaps" in found.unread
    selected = select_cidrs(SPEC, [KUBEADM, found]).pod
    assert selected.cidrs == (() if supersedes else KUBEADM.pod)


def test_a_configuration_that_is_absent_supersedes_nothing() -> None:
    assert not report({SOURCE.agents: [AGENTS]}).supersedes_cluster


def test_what_is_left_of_it_loses_against_the_nodes() -> None:
    left = ovn_config("10.128.0.0/14", "172.30.0.0/16")
    found = report({SOURCE.config: [left], nodes.WATCHED: [node("a", "10.42.0.0/24")]})
    assert found.pod == ()
    assert "names 10.128.0.0/14, but nodes have their podCIDRs elsewhere" in found.warning
