from __future__ import annotations

import json
from typing import Any

import pytest

from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.flannel import Flannel, agents, config_maps
from tests.unit.discovery.observing import FORBIDDEN, config_map, node, observe

CNI_CONF = '{"name":"cbr0","cniVersion":"1.0.0","plugins":[{"type":"flannel"}]}'
CONFIG, CANAL = config_maps(("kube-system",))
SOURCE = Flannel((CONFIG, CANAL), agents(("kube-system",)))


def net_conf(text: Any, namespace: str = "kube-flannel") -> dict[str, Any]:
    content = text if isinstance(text, str) else json.dumps(text)
    data = {"cni-conf.json": CNI_CONF, "net-conf.json": content}
    return config_map(namespace, "kube-flannel-cfg", data)


def report(*config_maps: Any, of_nodes: tuple[Any, ...] = ()) -> SourceReport:
    found = {CONFIG: list(config_maps), nodes.WATCHED: list(of_nodes)}
    return SOURCE.report(observe(SOURCE, found))


BACKEND = {"EnableNFTables": False, "Backend": {"Type": "vxlan"}}


@pytest.mark.parametrize(
    ("written", "pod"),
    [
        pytest.param({"Network": "10.244.0.0/16"}, ("10.244.0.0/16",), id="the manifest's"),
        pytest.param(
            {"Network": "10.244.0.0/16", "IPv6Network": "fd44::/56", "EnableIPv6": True},
            ("10.244.0.0/16", "fd44::/56"),
            id="both families",
        ),
        pytest.param(
            {"EnableIPv4": False, "IPv6Network": "fd44::/56", "EnableIPv6": True},
            ("fd44::/56",),
            id="IPv6 alone, as the Helm chart writes it",
        ),
        pytest.param({"EnableIPv4": False, "Network": "10.244.0.0/16"}, (), id="IPv4 switched off"),
        pytest.param(
            {"EnableIPv4": None, "Network": "10.244.0.0/16", "EnableIPv6": None},
            ("10.244.0.0/16",),
            id="null says nothing",
        ),
        pytest.param(
            {"Network": "10.244.0.0/16", "IPv6Network": "fd44::/56"},
            ("10.244.0.0/16",),
            id="IPv6 not switched on",
        ),
        pytest.param({"network": "10.244.0.0/16"}, ("10.244.0.0/16",), id="as Go takes it"),
        pytest.param({"Network": 10}, (), id="a number"),
        pytest.param({}, (), id="neither"),
    ],
)
def test_the_networks_in_use(written: dict[str, Any], pod: tuple[str, ...]) -> None:
    found = report(net_conf(written | BACKEND))
    assert found.pod == pod
    assert bool(found.missing) == (not pod)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param("", "net-conf.json is no JSON", id="empty"),
        pytest.param("Network: 10.244.0.0/16", "net-conf.json is no JSON", id="YAML"),
        pytest.param("[1]", "net-conf.json is JSON, but no mapping", id="a list"),
        pytest.param("[" * 9000, "net-conf.json is no JSON", id="very deep"),
    ],
)
def test_what_cannot_be_read_is_named(content: str, problem: str) -> None:
    found = report(net_conf(content))
    assert found.pod == ()
    assert found.missing.startswith(f"ConfigMap kube-flannel/kube-flannel-cfg: {problem}")


@pytest.mark.parametrize("data", [None, {}, {"net-conf.json": None}, []])
def test_a_config_map_without_the_file_is_named(data: Any) -> None:
    found = report(config_map("kube-system", "kube-flannel-cfg", data))
    assert found.pod == ()
    assert "kube-system/kube-flannel-cfg: net-conf.json is no JSON" in found.missing


def test_a_config_map_of_a_tenant_is_no_evidence() -> None:
    found = report(net_conf({"Network": "10.66.0.0/16"}, namespace="tenant"))
    missing = "there is no ConfigMap kube-flannel-cfg; there is no ConfigMap canal-config"
    assert (found.pod, found.missing) == ((), missing)


def test_canal_has_the_same_file_in_a_config_map_of_its_own() -> None:
    data = {"canal_iface": "", "net-conf.json": json.dumps({"Network": "10.244.0.0/16"} | BACKEND)}
    canal = config_map("kube-system", "canal-config", data)
    found = SOURCE.report(observe(SOURCE, {CANAL: [canal]}))
    assert found.pod == ("10.244.0.0/16",)
    given = net_conf({"Network": "10.42.0.0/16"})
    found = SOURCE.report(observe(SOURCE, {CANAL: [canal], CONFIG: [given]}))
    assert found.pod == ("10.42.0.0/16",)


def test_the_config_map_of_an_uninstalled_flannel_loses_against_the_nodes() -> None:
    found = report(net_conf({"Network": "10.244.0.0/16"}), of_nodes=(node("a", "10.42.0.0/24"),))
    assert found.pod == ()
    assert found.warning == (
        "ConfigMap kube-flannel/kube-flannel-cfg names 10.244.0.0/16, but nodes have their "
        "podCIDRs elsewhere: 10.42.0.0/24"
    )


def test_a_family_that_nodes_do_not_have_says_nothing_against_it() -> None:
    conf = {"Network": "10.244.0.0/16", "IPv6Network": "fd44::/56", "EnableIPv6": True}
    found = report(net_conf(conf), of_nodes=(node("a", "10.244.3.0/24"),))
    assert (found.pod, found.warning) == (("10.244.0.0/16", "fd44::/56"), "")


def test_what_may_not_be_read_is_unread() -> None:
    found = SOURCE.report(observe(SOURCE, {CONFIG: FORBIDDEN}))
    assert "may not list configmaps" in found.unread
