"""Objects as Spiderpool's releases store them, on a real API server: taken, and inheriting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from spidercoordinator.api.multus import NO_OWN_MAC
from tests.apiserver.harness import Cluster
from tests.apiserver.networks import Networks

pytestmark = pytest.mark.usefixtures("operator")

FOLDER = Path(__file__).parents[1] / "unit" / "network" / "spiderpool"
SHAPES = {each.stem: list(yaml.safe_load_all(each.read_text())) for each in FOLDER.glob("*.yaml")}
ADDRESS, PREFIX = "169.254.100.1", "0a:1b"


@pytest.mark.parametrize("release", sorted(SHAPES))
async def test_their_networks_follow_the_spidercoordinator(release: str, cluster: Cluster) -> None:
    coordinator, *stored = SHAPES[release]
    own = {"podCIDRType": "none", "vethLinkAddress": ADDRESS, "podMACPrefix": PREFIX}
    await cluster.coordinator_in_effect({**coordinator["spec"], **own})
    networks = Networks(cluster.api)
    for each in stored:
        name, spec = each["metadata"]["name"], each["spec"]
        await networks.make(name, spec)
        await networks.ready(name)
        if spec["cniType"] == "custom":
            continue
        section = await cluster.section(name)
        assert section["vethLinkAddress"] == ADDRESS
        assert section.get("podMACPrefix") == (None if spec["cniType"] in NO_OWN_MAC else PREFIX)
        assert section["hijackCIDR"] == ["169.254.0.0/16"]
        await networks.has(name, "VethLinkAddress")


@pytest.mark.parametrize("release", sorted(SHAPES))
async def test_none_switches_off_for_one_network(release: str, cluster: Cluster) -> None:
    await cluster.coordinator_in_effect({"podCIDRType": "none", "vethLinkAddress": ADDRESS})
    networks = Networks(cluster.api)
    for each in SHAPES[release]:
        spec: dict[str, Any] = each["spec"]
        if not spec.get("coordinator"):
            continue
        off = dict.fromkeys(("vethLinkAddress", "podMACPrefix", "podDefaultRouteNIC"), "none")
        name = each["metadata"]["name"]
        await networks.make(name, {**spec, "coordinator": {**spec["coordinator"], **off}})
        await networks.ready(name)
        section = await cluster.section(name)
        assert "none" not in section.values()
        assert "vethLinkAddress" not in section
        assert (await networks.has(name, "VethLinkAddress", "False"))["reason"] == "SwitchedOff"
