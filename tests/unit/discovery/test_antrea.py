from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery.antrea import CONFIG, POOLS, AntreaNodeIPAM, AntreaPools
from tests.unit.discovery.observing import FORBIDDEN, NOT_SERVED, Found, config_map, observe

AGENT = (
    "featureGates:\n#  AntreaIPAM: false\nenableBridgingMode: false\nserviceCIDR: 10.96.0.0/12\n"
)


def config(controller: str = "", agent: str = AGENT) -> dict[str, Any]:
    data = {
        "antrea-agent.conf": agent,
        "antrea-cni.conflist": '{"name":"antrea"}',
        "antrea-controller.conf": controller,
    }
    return config_map("kube-system", "antrea-config", data)


def node_ipam(*cidrs: str, enabled: str = "true", service: str = "", service6: str = "") -> str:
    listed = "".join(f"\n    - {cidr}" for cidr in cidrs)
    return (
        "featureGates:\n  NodeIPAM: true\nnodeIPAM:\n"
        f"  enableNodeIPAM: {enabled}\n  clusterCIDRs:{listed}\n"
        f'  serviceCIDR: "{service}"\n  serviceCIDRv6: "{service6}"\n  nodeCIDRMaskSizeIPv4: 24\n'
    )


def of_node_ipam(found: Found) -> SourceReport:
    return AntreaNodeIPAM().report(observe(AntreaNodeIPAM(), found))


@pytest.mark.parametrize(
    ("controller", "pod", "service"),
    [
        pytest.param(
            node_ipam("10.50.0.0/16", service="10.60.0.0/16"),
            ("10.50.0.0/16",),
            ("10.60.0.0/16",),
            id="one family",
        ),
        pytest.param(
            node_ipam("10.50.0.0/16", "fd50::/56", service="10.60.0.0/16", service6="fd60::/112"),
            ("10.50.0.0/16", "fd50::/56"),
            ("10.60.0.0/16", "fd60::/112"),
            id="both families",
        ),
        pytest.param(node_ipam("10.50.0.0/16"), ("10.50.0.0/16",), (), id="no services"),
        pytest.param(node_ipam("10.50.0.0/16", enabled="false"), (), (), id="off"),
        pytest.param(node_ipam(), (), (), id="no range"),
        pytest.param("nodeIPAM: yes\n", (), (), id="of another shape"),
        pytest.param("", (), (), id="empty"),
    ],
)
def test_the_ranges_of_the_node_ipam(
    controller: str, pod: tuple[str, ...], service: tuple[str, ...]
) -> None:
    found = of_node_ipam({CONFIG: [config(controller)]})
    assert (found.pod, found.service) == (pod, service)
    assert bool(found.missing) == (not pod)


@pytest.mark.parametrize("broken", ["a: [", "[1]", "[" * 1500])
def test_what_cannot_be_read_is_named(broken: str) -> None:
    missing = of_node_ipam({CONFIG: [config(broken)]}).missing
    assert missing.startswith("ConfigMap kube-system/antrea-config: antrea-controller.conf or")


def test_without_antrea_it_says_so() -> None:
    assert of_node_ipam({}).missing == "there is no ConfigMap kube-system/antrea-config"
    assert "may not list configmaps" in of_node_ipam({CONFIG: FORBIDDEN}).unread


def pool(name: str, *ranges: Any, vlan: int = 0) -> dict[str, Any]:
    subnet = {"gateway": "10.2.0.1", "prefixLength": 24, "vlan": vlan}
    spec = {"ipRanges": list(ranges), "subnetInfo": subnet}
    return {"metadata": {"name": name}, "spec": spec, "status": {"usage": {"total": 9, "used": 1}}}


def old_pool(name: str, **of_range: Any) -> dict[str, Any]:
    of_range = {"gateway": "10.2.0.1", "prefixLength": 24} | of_range
    return {"metadata": {"name": name}, "spec": {"ipVersion": 4, "ipRanges": [of_range]}}


ON = config(agent="featureGates:\n  AntreaIPAM: true\nenableBridgingMode: true\n")


def of_pools(*pools: Any, configs: Any = (ON,)) -> SourceReport:
    return AntreaPools().report(observe(AntreaPools(), {POOLS: list(pools), CONFIG: configs}))


@pytest.mark.parametrize(
    ("pools", "pod"),
    [
        pytest.param([pool("a", {"cidr": "10.2.0.0/26"})], ("10.2.0.0/26",), id="a CIDR"),
        pytest.param(
            [pool("a", {"start": "10.2.0.12", "end": "10.2.0.20"})],
            ("10.2.0.12/30", "10.2.0.16/30", "10.2.0.20/32"),
            id="from and to",
        ),
        pytest.param(
            [pool("b", {"cidr": "10.3.0.0/24"}), pool("a", {"cidr": "fd02::/112"})],
            ("fd02::/112", "10.3.0.0/24"),
            id="several, both families",
        ),
        pytest.param([old_pool("a", cidr="10.2.0.0/24")], ("10.2.0.0/24",), id="v1alpha2"),
        pytest.param([old_pool("a", cidr="10.2.0.0/24", vlan=2)], (), id="v1alpha2 of a VLAN"),
        pytest.param([pool("a", {"cidr": "10.2.0.0/24"}, vlan=2)], (), id="of a VLAN"),
        pytest.param(
            [pool("a", {"start": "10.2.0.20", "end": "10.2.0.12"}, {"start": "10.2.0.1"})],
            (),
            id="no ranges",
        ),
        pytest.param([pool("a", {"start": "10.2.0.1", "end": "fd00::1"}, "odd")], (), id="mixed"),
        pytest.param([{"metadata": {"name": "a"}, "spec": None}], (), id="no spec"),
    ],
)
def test_the_ranges_of_pools(pools: list[Any], pod: tuple[str, ...]) -> None:
    found = of_pools(*pools)
    assert (found.pod, found.additional) == (pod, True)


def test_pools_do_not_count_while_pods_cannot_have_their_addresses() -> None:
    found = of_pools(pool("a", {"cidr": "10.2.0.0/24"}), configs=[config()])
    assert found.pod == ()
    assert found.missing == (
        "ConfigMap kube-system/antrea-config: antrea-agent.conf does not enable AntreaIPAM"
    )


def test_all_alpha_features_are_this_one_too() -> None:
    on = config(agent="featureGates:\n  AllAlpha: true\n")
    off = config(agent="featureGates:\n  AllAlpha: true\n  AntreaIPAM: false\n")
    given = pool("a", {"cidr": "10.2.0.0/24"})
    assert of_pools(given, configs=[on]).pod == ("10.2.0.0/24",)
    assert of_pools(given, configs=[off]).pod == ()


@pytest.mark.parametrize("configs", [[], FORBIDDEN])
def test_pools_count_where_the_configuration_is_elsewhere(configs: Any) -> None:
    assert of_pools(pool("a", {"cidr": "10.2.0.0/24"}), configs=configs).pod == ("10.2.0.0/24",)


def test_elsewhere_the_kind_is_not_served() -> None:
    found = AntreaPools().report(observe(AntreaPools(), {POOLS: NOT_SERVED}))
    assert found.missing == "the API server has no ippools.crd.antrea.io"
