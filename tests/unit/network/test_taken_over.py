"""Objects as Spiderpool's releases store them keep their meaning here.

The files of spiderpool/ follow the types and webhooks of its tags v0.8, v1.0 and v1.2.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.multus import NO_OWN_MAC
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.desired import desired_nad
from spidercoordinator.core.network.validation import find_problems, parse

SHAPES = sorted((Path(__file__).parent / "spiderpool").glob("*.yaml"))
# What an administrator sets in the SpiderCoordinator after the move.
NEW = {
    "vethLinkAddress": "169.254.100.1",
    "podMACPrefix": "0a:1b",
    "podDefaultRouteNIC": "net1",
}


def stored(release: Path) -> tuple[SpiderCoordinatorSpec, list[dict[str, Any]]]:
    """The spec of the SpiderCoordinator with what is new, and the networks."""
    coordinator, *networks = yaml.safe_load_all(release.read_text())
    for network in networks:
        network["metadata"]["uid"] = "1"
    return SpiderCoordinatorSpec.model_validate(coordinator["spec"] | NEW), networks


def section(network: dict[str, Any], spec: SpiderCoordinatorSpec) -> dict[str, Any]:
    cluster = ClusterConfig("default", spec, ("10.233.64.0/18",), ("10.233.0.0/18",))
    nad = desired_nad(
        parse(network), cluster, default_ipam={"type": "spiderpool"}, coordinator_name="default"
    )
    plugins = json.loads(nad.config)["plugins"]
    [found] = [each for each in plugins if each["type"] == "coordinator"]
    return dict(found)


@pytest.mark.parametrize("release", SHAPES, ids=lambda each: each.stem)
def test_networks_are_taken_and_inherit_what_their_webhook_left_empty(release: Path) -> None:
    spec, networks = stored(release)
    for network in networks:
        assert list(find_problems(network)) == []
        if network["spec"]["cniType"] == "custom":
            continue
        found = section(network, spec)
        assert found["vethLinkAddress"] == "169.254.100.1"
        assert found["podDefaultRouteNic"] == "net1"
        assert found["hijackCIDR"] == ["169.254.0.0/16"]
        if network["spec"]["cniType"] not in NO_OWN_MAC:
            assert found["podMACPrefix"] == "0a:1b"
        assert (found["tunePodRoutes"], found.get("txQueueLen", 0)) == (True, 0)


@pytest.mark.parametrize("release", SHAPES, ids=lambda each: each.stem)
def test_none_switches_off_and_is_not_written(release: Path) -> None:
    spec, networks = stored(release)
    for network in networks:
        if network["spec"]["cniType"] == "custom":
            continue
        network["spec"]["coordinator"] |= dict.fromkeys(NEW, "none")
        found = section(network, spec)
        assert not found.keys() & {"vethLinkAddress", "podMACPrefix", "podDefaultRouteNic"}
        assert "none" not in json.dumps(found)
