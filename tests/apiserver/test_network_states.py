"""What stands in a network's way, and that the network says so.

A server of its own, for the kinds come and go here: first without the kind of NADs, and with
objects stored while the CRD had no rules.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from spidercoordinator.api.crd import SPIDER_COORDINATOR, SPIDER_MULTUS_CONFIG, crd
from spidercoordinator.api.nad import CR_NAME
from spidercoordinator.core.checks.fields import dropped_fields
from spidercoordinator.errors import ApiInvalidError, ApiNotFoundError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import (
    CUSTOM_RESOURCE_DEFINITIONS,
    EVENTS,
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Resource,
)
from testbed.apiserver import ApiServer
from tests.apiserver.harness import Cluster, Operator, eventually
from tests.apiserver.networks import MACVLAN, Networks

NAD_CRD = Path(__file__).parents[2] / "testbed/manifests/network-attachment-definition.crd.yaml"

# What no rule stopped once, and what the network says of it.
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no-object": ({"cniType": "macvlan"}, "spec.macvlan"),
    "unknown-type": ({"cniType": "bridge"}, "spec.cniType"),
    "bad-table": ({**MACVLAN, "coordinator": {"hostRuleTable": 254}}, "hostRuleTable"),
    "half-trunk": (
        {"cniType": "ovs", "ovs": {"bridge": "br0", "trunk": [{"maxID": 5}]}},
        "spec.ovs.trunk[0]",
    ),
    "no-interfaces-address": (
        {**MACVLAN, "coordinator": {"vethLinkAddress": "0.0.0.0"}},
        "spec.coordinator.vethLinkAddress",
    ),
    "small-mtu": ({"cniType": "macvlan", "macvlan": {"master": ["a"], "mtu": 9}}, "mtu"),
    "mac-of-ipvlan": (
        {
            "cniType": "ipvlan",
            "ipvlan": {"master": ["a"]},
            "coordinator": {"podMACPrefix": "0a:1b"},
        },
        "podMACPrefix",
    ),
    "two-masters": ({"cniType": "macvlan", "macvlan": {"master": ["a", "b"]}}, "bond"),
}
# So wrong that the API server takes no status with it: what is wrong is told as an Event.
SHAPELESS: dict[str, tuple[dict[str, Any], str]] = {
    "wrong-type": ({"cniType": "macvlan", "macvlan": {"master": "eth0"}}, "spec.macvlan.master"),
    "text-for-object": ({"cniType": "macvlan", "macvlan": "eth0"}, "spec.macvlan"),
    "number-type": ({"cniType": 5}, "spec.cniType"),
}
# A field of other releases, which the API server drops.
OLD_FIELD = {"cniType": "sriov", "sriov": {"resourceName": "acme.io/vf", "enableRdma": True}}
# What no schema can say; the API server takes these at any time.
UNUSABLE: dict[str, tuple[dict[str, Any], str]] = {
    "bad-json": ({"cniType": "custom", "customCNI": "{"}, "spec.customCNI"),
    "no-conf": ({"cniType": "custom", "customCNI": "42"}, "spec.customCNI"),
    "deep": ({"cniType": "custom", "customCNI": "[" * 60_000}, "spec.customCNI"),
    "main-in-chain": ({**MACVLAN, "chainCNIJsonData": ['{"type":"vlan"}']}, "spec.chainCNIJson"),
    "first-is-coordinator": (
        {"cniType": "custom", "customCNI": '{"type":"coordinator"}'},
        "spec.customCNI",
    ),
    "bad-chain": ({**MACVLAN, "chainCNIJsonData": ["{}"]}, "spec.chainCNIJsonData[0]"),
}


def lax(manifest: dict[str, Any]) -> dict[str, Any]:
    """The CRD as it might have been once: no rules at all."""
    [version] = manifest["spec"]["versions"]
    open_object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version["schema"]["openAPIV3Schema"]["properties"]["spec"] = open_object
    return manifest


@pytest.fixture(scope="module")
def bare_server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


@pytest.fixture(scope="module")
def bare_operator(
    bare_server: ApiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    running = Operator(bare_server.kubeconfig, tmp_path_factory.mktemp("operator") / "log")
    yield running
    running.stop()


@pytest.fixture
async def networks(bare_server: ApiServer) -> AsyncIterator[Networks]:
    async with Client(await Login.find({"KUBECONFIG": str(bare_server.kubeconfig)})) as client:
        yield Networks(client)


async def served(api: Client, resource: Resource, manifest: dict[str, Any]) -> None:
    """Apply a CRD and wait until its kind can be used, which is a moment after it says so."""
    await api.apply(CUSTOM_RESOURCE_DEFINITIONS, manifest)

    async def usable() -> bool:
        try:
            await api.list(resource)
        except ApiNotFoundError:
            return False
        return True

    await eventually(f"{resource.full_name} is served", usable)


async def test_objects_stored_before_the_rules_show_what_is_wrong(
    networks: Networks, bare_operator: Operator
) -> None:
    api = networks.api
    await served(api, SPIDERCOORDINATORS, crd(SPIDER_COORDINATOR))
    await served(api, SPIDERMULTUSCONFIGS, lax(crd(SPIDER_MULTUS_CONFIG)))
    for name, (spec, _) in {**BROKEN, **SHAPELESS, "old-field": (OLD_FIELD, "")}.items():
        await networks.make(name, spec)
    await served(api, SPIDERMULTUSCONFIGS, crd(SPIDER_MULTUS_CONFIG))
    # The new schema takes effect a moment after it is stored.
    await eventually("the rules hold", lambda: refused(networks))
    bare_operator.start()
    for name, (_, field) in BROKEN.items():
        found = await networks.has(name, "Invalid")
        assert field in found["message"], name
    for name, (_, field) in SHAPELESS.items():
        assert field in await event_of(networks, name)
    assert bare_operator.running()


async def test_a_field_that_was_dropped_is_still_named_in_managed_fields(
    networks: Networks,
) -> None:
    """So `check` finds it in an export, and the webhook at the next change, until it is applied."""
    for _ in range(2):
        stored = await networks.get("old-field")
        assert "enableRdma" not in stored["spec"]["sriov"]
        [problem] = dropped_fields("SpiderMultusConfig", stored)
        assert problem.field == "spec.sriov.enableRdma"
        await networks.change("old-field", {"metadata": {"labels": {"changed": "yes"}}})


async def event_of(networks: Networks, name: str) -> str:
    async def check() -> str | None:
        events, _ = await networks.api.list(EVENTS, fields=f"involvedObject.name={name}")
        return next((str(each["message"]) for each in events if each["reason"] == "Invalid"), None)

    message: str = await eventually(f"an Event tells what is wrong with {name}", check)
    return message


async def refused(networks: Networks) -> bool:
    try:
        await networks.make("probe", {"cniType": "macvlan"})
    except ApiInvalidError:
        return True
    await networks.delete("probe")
    return False


async def test_what_no_schema_can_say_is_said_in_status(networks: Networks) -> None:
    for name, (spec, field) in UNUSABLE.items():
        await networks.make(name, spec)
        found = await networks.has(name, "Invalid")
        assert found["message"].startswith(field)
    await networks.make("bad-name", annotations={CR_NAME: "Not A Name"})
    assert CR_NAME in (await networks.has("bad-name", "Invalid"))["message"]


async def test_without_the_kind_of_nads_networks_say_so_until_it_is_there(
    networks: Networks,
) -> None:
    await Cluster(networks.api).coordinator({"podCIDRType": "none"})
    await networks.make("early")
    found = await networks.has("early", "NADCRDMissing")
    assert "network-attachment-definitions.k8s.cni.cncf.io" in found["message"]
    manifest = yaml.safe_load(NAD_CRD.read_text())
    await served(networks.api, NETWORK_ATTACHMENT_DEFINITIONS, manifest)
    await networks.ready("early")
    assert (await networks.nad("early"))["metadata"]["ownerReferences"][0]["name"] == "early"


async def test_a_mended_object_becomes_ready(networks: Networks) -> None:
    await networks.change("two-masters", {"spec": {"macvlan": {"master": ["eth0"]}}})
    await networks.ready("two-masters")


async def test_without_a_coordinator_only_networks_that_need_none_are_ready(
    networks: Networks,
) -> None:
    cluster = Cluster(networks.api)
    await networks.make("free", {**MACVLAN, "enableCoordinator": False})
    await networks.ready("free")
    await networks.api.delete(SPIDERCOORDINATORS, "default")
    missing = await networks.has("early", "CoordinatorNotReady")
    assert "SpiderCoordinator default does not exist" in missing["message"]
    assert "notReadyReason" not in await cluster.section("early")
    await networks.make("late", MACVLAN)
    await networks.has("late", "CoordinatorNotReady")
    section = await cluster.section("late")
    assert "SpiderCoordinator default does not exist" in section["notReadyReason"]
    await networks.ready("free")

    async def gone() -> bool:
        return await networks.api.find(SPIDERCOORDINATORS, "default") is None

    await eventually("the SpiderCoordinator is gone", gone)
    await cluster.coordinator({"podCIDRType": "none"})
    await networks.ready("early")
    await networks.ready("late")
    assert "notReadyReason" not in await cluster.section("late")


async def test_a_doubtful_address_is_taken_with_a_warning(networks: Networks) -> None:
    spec = {**MACVLAN, "coordinator": {"vethLinkAddress": "8.8.8.8"}}
    await networks.make("doubtful", spec)
    await networks.ready("doubtful")
    found = await networks.has("doubtful", "Degraded")
    assert "spec.coordinator.vethLinkAddress: 8.8.8.8 is not link-local" in found["message"]
    # Pods get it all the same.
    assert (await networks.has("doubtful", "VethLinkAddress", "True"))["reason"] == "Set"


async def test_whether_pods_get_the_address_follows_both_objects(networks: Networks) -> None:
    cluster = Cluster(networks.api)
    await networks.make("inherits", {**MACVLAN, "coordinator": {"vethLinkAddress": ""}})
    await networks.make("switched-off", {**MACVLAN, "coordinator": {"vethLinkAddress": "none"}})
    found = await networks.has("inherits", "VethLinkAddress", "False")
    assert found["reason"] == "Unset"
    await cluster.coordinator({"podCIDRType": "none", "vethLinkAddress": "169.254.100.1"})
    found = await networks.has("inherits", "VethLinkAddress", "True")
    assert "169.254.100.1" in found["message"]
    assert (await cluster.section("inherits"))["vethLinkAddress"] == "169.254.100.1"
    found = await networks.has("switched-off", "VethLinkAddress", "False")
    assert found["reason"] == "SwitchedOff"
    assert "vethLinkAddress" not in await cluster.section("switched-off")


async def test_what_a_network_inherits_and_cannot_have_is_told_and_left_out(
    networks: Networks,
) -> None:
    cluster = Cluster(networks.api)
    ipam = {"type": "whereabouts", "range": "10.6.0.0/16"}
    await networks.make(
        "ipvlan", {"cniType": "ipvlan", "ipvlan": {"master": ["eth0"]}, "ipam": ipam}
    )
    await networks.ready("ipvlan")
    await cluster.coordinator({"podCIDRType": "none", "podMACPrefix": "0a:1b"})
    found = await networks.has("ipvlan", "Degraded")
    assert found["reason"] == "MACPrefixLeftOut"
    assert "podMACPrefix" not in await cluster.section("ipvlan")
    await networks.ready("ipvlan")
    await cluster.coordinator({"podCIDRType": "none", "podMACPrefix": "none"})

    async def gone() -> bool:
        conditions = (await networks.get("ipvlan"))["status"]["conditions"]
        return "Degraded" not in {each["type"] for each in conditions}

    await eventually("the warning is gone", gone)
