"""The coordinator section: the cluster's settings with the network's own on top."""

from typing import Any

import pytest

from spidercoordinator.api.coordinator import CoordinatorSettings, SpiderCoordinatorSpec
from spidercoordinator.api.crd import SPIDER_MULTUS_CONFIG, structural_schema
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.coordinator.section import coordinator_section

NAME = "default"


def cluster(not_ready: str = "", **fields: Any) -> ClusterConfig:
    return ClusterConfig(
        NAME,
        SpiderCoordinatorSpec.model_validate(fields),
        overlay_pod_cidr=("10.244.0.0/16",),
        service_cidr=("10.96.0.0/12",),
        not_ready=not_ready,
    )


def own(**fields: Any) -> CoordinatorSettings:
    return CoordinatorSettings.model_validate(fields)


def test_without_own_settings_it_is_the_clusters() -> None:
    section = coordinator_section(cluster(vethLinkAddress="169.254.100.1"), None, name=NAME)
    assert section == {
        "mode": "auto",
        "overlayPodCIDR": ["10.244.0.0/16"],
        "serviceCIDR": ["10.96.0.0/12"],
        "tunePodRoutes": True,
        "hostRuleTable": 500,
        "podRPFilter": 0,
        "txQueueLen": 0,
        "vethLinkAddress": "169.254.100.1",
        "detectGateway": False,
        "detectIPConflict": False,
        "announce": True,
    }


@pytest.mark.parametrize(
    ("field", "key", "of_cluster", "of_network", "expected"),
    [
        ("mode", "mode", "overlay", "underlay", "underlay"),
        ("tunePodRoutes", "tunePodRoutes", True, False, False),
        ("podRPFilter", "podRPFilter", 2, 0, 0),
        ("podRPFilter", "podRPFilter", 2, -1, -1),
        ("hostRPFilter", "hostRPFilter", 1, 0, 0),
        ("hostRuleTable", "hostRuleTable", 500, 321, 321),
        ("txQueueLen", "txQueueLen", 9, 0, 0),
        ("vethMTU", "vethMTU", 1500, 1400, 1400),
        ("vethLinkAddress", "vethLinkAddress", "169.254.100.1", "169.254.7.7", "169.254.7.7"),
        ("vethLinkAddress", "vethLinkAddress", "none", "169.254.7.7", "169.254.7.7"),
        ("hijackCIDR", "hijackCIDR", ["10.0.0.0/8"], ["10.1.0.0/16"], ["10.1.0.0/16"]),
        ("detectGateway", "detectGateway", True, False, False),
        ("detectIPConflict", "detectIPConflict", True, False, False),
        ("announce", "announce", True, False, False),
        ("announce", "announce", False, True, True),
        ("podDefaultRouteNIC", "podDefaultRouteNic", "net1", "eth0", "eth0"),
        ("mode", "mode", "auto", "disabled", "disable"),
        ("mode", "mode", "auto", "disable", "disable"),
    ],
)
def test_own_setting_wins(
    field: str, key: str, of_cluster: Any, of_network: Any, expected: Any
) -> None:
    section = coordinator_section(
        cluster(**{field: of_cluster}), own(**{field: of_network}), name=NAME
    )
    assert section.get(key) == expected


TEXTS = {
    "mode": ("mode", "underlay"),
    "podMACPrefix": ("podMACPrefix", "0a:1b"),
    "podDefaultRouteNIC": ("podDefaultRouteNic", "net1"),
    "vethLinkAddress": ("vethLinkAddress", "169.254.100.1"),
}
LISTS: dict[str, Any] = {
    "hijackCIDR": ["169.254.0.0/16"],
    "policyRoutes": [{"dst": "10.1.0.0/16", "gw": "10.2.0.1"}],
}
FIELDS = structural_schema(SPIDER_MULTUS_CONFIG.model)["properties"]["spec"]["properties"][
    "coordinator"
]["properties"]


def test_no_text_and_no_list_is_forgotten() -> None:
    def of_type(kind: str) -> set[str]:
        return {name for name, field in FIELDS.items() if field["type"] == kind}

    # podCIDRType has no effect in a network; the CIDRs of the cluster are those discovered.
    assert of_type("string") == set(TEXTS) | {"podCIDRType"}
    assert of_type("array") == set(LISTS) | {"podCIDR", "serviceCIDR"}


@pytest.mark.parametrize("field", TEXTS)
def test_empty_text_is_inherited(field: str) -> None:
    key, value = TEXTS[field]
    section = coordinator_section(cluster(**{field: value}), own(**{field: ""}), name=NAME)
    assert section[key] == value


@pytest.mark.parametrize("field", LISTS)
def test_empty_list_is_inherited(field: str) -> None:
    section = coordinator_section(cluster(**{field: LISTS[field]}), own(**{field: []}), name=NAME)
    assert section[field] == LISTS[field]


def test_empty_cidrs_are_inherited() -> None:
    section = coordinator_section(cluster(), own(podCIDR=[], serviceCIDR=[]), name=NAME)
    assert (section["overlayPodCIDR"], section["serviceCIDR"]) == (
        ["10.244.0.0/16"],
        ["10.96.0.0/12"],
    )


@pytest.mark.parametrize("field", sorted(set(TEXTS) - {"mode"}))
@pytest.mark.parametrize("of_cluster", ["", "none", None])
@pytest.mark.parametrize("of_network", ["", "none", None])
def test_what_is_off_is_left_out(
    field: str, of_cluster: str | None, of_network: str | None
) -> None:
    key, value = TEXTS[field]
    for lower in (of_cluster, value) if of_network == "none" else (of_cluster,):
        section = coordinator_section(
            cluster("", **{field: lower}), own(**{field: of_network}), name=NAME
        )
        assert key not in section
        assert "none" not in section.values()


def test_section_without_cidrs_says_that_it_is_complete() -> None:
    """Otherwise the plugin takes what is off here from the node's defaults."""
    bare = ClusterConfig(NAME, SpiderCoordinatorSpec())
    section = coordinator_section(bare, own(vethLinkAddress="none"), name=NAME)
    assert section["serviceCIDR"] == []
    assert "serviceCIDR" not in coordinator_section(bare, own(mode="disabled"), name=NAME)


def test_own_cidrs_replace_those_found() -> None:
    section = coordinator_section(
        cluster(), own(podCIDR=["10.1.2.3/16"], serviceCIDR=["fd00::1/112"]), name=NAME
    )
    assert (section["overlayPodCIDR"], section["serviceCIDR"]) == (
        ["10.1.0.0/16"],
        ["fd00::/112"],
    )


def test_networks_are_masked_and_each_is_there_once() -> None:
    section = coordinator_section(
        cluster(hijackCIDR=["10.0.0.5/8", "10.8.8.8", "10.0.0.0/8", "FD00:0::/64"]), None, name=NAME
    )
    assert section["hijackCIDR"] == ["10.0.0.0/8", "10.8.8.8/32", "fd00::/64"]


def test_reason_is_carried_while_not_ready() -> None:
    reason = "SpiderCoordinator default is NotReady: no source has pod CIDRs"
    assert coordinator_section(cluster(reason), None, name=NAME)["notReadyReason"] == reason


def test_reason_does_not_stop_pods_that_need_no_coordinator() -> None:
    assert "notReadyReason" not in coordinator_section(
        cluster("why"), own(mode="disabled"), name=NAME
    )


def test_missing_coordinator_is_a_reason() -> None:
    section = coordinator_section(None, own(vethMTU=1400), name="main")
    assert section["vethMTU"] == 1400
    assert "SpiderCoordinator main does not exist" in section["notReadyReason"]
