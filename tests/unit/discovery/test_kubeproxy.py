from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import azure, nodes
from spidercoordinator.discovery.kubeproxy import CONFIG, DAEMON_SET, PROXIES, KubeProxy
from tests.unit.discovery.observing import FORBIDDEN, Found, config_map, daemon_set, node, observe


def config(cluster_cidr: str) -> dict[str, Any]:
    text = (
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nbindAddress: 0.0.0.0\n"
        f"clusterCIDR: {cluster_cidr}\nconfigSyncPeriod: 0s\nkind: KubeProxyConfiguration\n"
    )
    data = {"config.conf": text, "kubeconfig.conf": "apiVersion: v1\nkind: Config\n"}
    return config_map("kube-system", "kube-proxy", data)


def proxy(*command: str, name: str = "kube-proxy-1") -> dict[str, Any]:
    containers = [{"name": "kube-proxy", "image": "example.org/p:1", "command": list(command)}]
    meta = {"namespace": "kube-system", "name": name, "labels": {"component": "kube-proxy"}}
    return {"metadata": meta, "spec": {"containers": containers}, "status": {"phase": "Running"}}


def report(found: Found, *podcidrs: str) -> SourceReport:
    given = found | {nodes.WATCHED: [node(str(i), cidr) for i, cidr in enumerate(podcidrs)]}
    return KubeProxy().report(observe(KubeProxy(), given))


@pytest.mark.parametrize(
    ("written", "pod"),
    [
        pytest.param("10.244.0.0/16", ("10.244.0.0/16",), id="one"),
        pytest.param('"10.244.0.0/16"', ("10.244.0.0/16",), id="quoted"),
        pytest.param("10.244.0.0/16,fd44::/56", ("10.244.0.0/16", "fd44::/56"), id="both families"),
        pytest.param("fd44::/56,10.244.0.0/16", ("fd44::/56", "10.244.0.0/16"), id="IPv6 first"),
        pytest.param("10.224.0.0/12", (), id="that of a virtual network"),
        pytest.param('""', (), id="empty, as EKS writes it"),
        pytest.param("[10.244.0.0/16]", ("10.244.0.0/16",), id="a list"),
        pytest.param("{a: b}", (), id="a mapping"),
    ],
)
def test_the_range_in_the_configuration_counts_where_nodes_are_in_it(
    written: str, pod: tuple[str, ...]
) -> None:
    found = report({CONFIG: [config(written)]}, "10.244.3.0/24", "fd44:0:0:7::/64")
    assert found.pod == pod
    assert bool(found.missing) == (not pod)


def test_one_family_of_a_pair_vouches_for_the_other() -> None:
    found = report({CONFIG: [config("10.244.0.0/16,fd44::/56")]}, "10.244.3.0/24")
    assert found.pod == ("10.244.0.0/16", "fd44::/56")
    found = report({CONFIG: [config("10.9.0.0/16,fd44::/56")]}, "10.244.3.0/24")
    assert found.pod == ()


def test_an_overlay_of_azure_vouches_for_it_too() -> None:
    container = {"type": "overlay", "subnetAddressSpace": "10.244.0.0/16"}
    meta = {"namespace": "kube-system", "name": "aks-1"}
    overlay = {"metadata": meta, "status": {"networkContainers": [container]}}
    flagged = daemon_set("kube-system", "kube-proxy", "--cluster-cidr=10.244.0.0/16,fd44::/64")
    found = report({DAEMON_SET: [flagged], azure.CONFIGS: [overlay]})
    assert found.pod == ("10.244.0.0/16", "fd44::/64")


def test_a_range_of_no_node_is_named() -> None:
    found = report({CONFIG: [config("10.224.0.0/12")]}, "10.99.0.0/24")
    assert found.missing == (
        "ConfigMap kube-system/kube-proxy names 10.224.0.0/12, of which no node has podCIDRs"
    )


@pytest.mark.parametrize(
    ("command", "pod"),
    [
        pytest.param(
            [
                "/bin/sh",
                "-c",
                "exec kube-proxy --cluster-cidr=10.4.0.0/14 --v=2 1>>/var/log/kube-proxy.log 2>&1",
            ],
            ("10.4.0.0/14",),
            id="as GCE's manifest writes it",
        ),
        pytest.param(
            ["kube-proxy", "--conntrack-max-per-core=0", "--cluster-cidr=10.4.0.0/14", "--v=3"],
            ("10.4.0.0/14",),
            id="as AKS writes it",
        ),
        pytest.param(["kube-proxy", "--cluster-cidr", "10.4.0.0/14"], ("10.4.0.0/14",), id="apart"),
        pytest.param(
            [
                "kube-proxy",
                "--config=/var/lib/kube-proxy/config.conf",
                "--cluster-cidr=10.4.0.0/14",
            ],
            (),
            id="ignored beside a file",
        ),
        pytest.param(["kube-proxy"], (), id="none"),
    ],
)
def test_the_flag_of_the_pods(command: list[str], pod: tuple[str, ...]) -> None:
    assert report({PROXIES: [proxy(*command)]}, "10.4.7.0/24").pod == pod


@pytest.mark.parametrize(
    ("args", "pod"),
    [
        pytest.param(["--cluster-cidr=10.4.0.0/14"], ("10.4.0.0/14",), id="the flag"),
        pytest.param(["--config=/etc/c", "--cluster-cidr=10.4.0.0/14"], (), id="beside a file"),
        pytest.param([], (), id="none"),
    ],
)
def test_the_flag_of_the_daemon_set(args: list[str], pod: tuple[str, ...]) -> None:
    given = daemon_set("kube-system", "kube-proxy", *args)
    assert report({DAEMON_SET: [given]}, "10.4.7.0/24").pod == pod


def test_the_configuration_comes_first_then_the_daemon_set() -> None:
    flagged = proxy("kube-proxy", "--cluster-cidr=10.0.0.0/8")
    template = daemon_set("kube-system", "kube-proxy", "--cluster-cidr=10.4.0.0/13")
    found: Found = {DAEMON_SET: [template], PROXIES: [flagged]}
    assert report(found, "10.4.7.0/24").pod == ("10.4.0.0/13",)
    found |= {CONFIG: [config("10.4.0.0/14")]}
    assert report(found, "10.4.7.0/24").pod == ("10.4.0.0/14",)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param({"config.conf": "a: ["}, "config.conf is no YAML", id="broken"),
        pytest.param({"config.conf": "[1]"}, "config.conf is YAML, but no mapping", id="a list"),
        pytest.param({"config": "clusterCIDR: 10.1.0.0/16"}, "config.conf is YAML", id="no key"),
        pytest.param(None, "config.conf is YAML, but no mapping", id="no data"),
        pytest.param({"config.conf": "mode: ipvs"}, "config.conf has no clusterCIDR", id="unset"),
        pytest.param({"config.conf": "[" * 1500}, "config.conf is no YAML", id="very deep"),
    ],
)
def test_what_cannot_be_read_is_named(data: Any, problem: str) -> None:
    found = report({CONFIG: [config_map("kube-system", "kube-proxy", data)]}, "10.1.0.0/24")
    assert found.pod == ()
    assert found.missing.startswith(f"ConfigMap kube-system/kube-proxy: {problem}")


def test_without_kube_proxy_it_says_so() -> None:
    missing = report({}, "10.1.0.0/24").missing
    assert missing.startswith("there is no ConfigMap kube-system/kube-proxy, nor a kube-proxy pod")


def test_what_may_not_be_read_is_unread() -> None:
    assert "may not list configmaps" in report({CONFIG: FORBIDDEN}).unread
