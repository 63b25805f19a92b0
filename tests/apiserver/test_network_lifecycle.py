"""A SpiderMultusConfig and its NAD, from the first to the last: made, changed, healed, removed."""

from __future__ import annotations

import json

import pytest

from spidercoordinator.api.nad import CNI_VERSION, CNICONFIG_NAME, CR_NAME, NETWORK_INJECT
from spidercoordinator.kube.resource import EVENTS, SPIDERMULTUSCONFIGS
from tests.apiserver.harness import Cluster, eventually
from tests.apiserver.networks import MACVLAN, NAMESPACE, Networks

pytestmark = pytest.mark.usefixtures("operator", "controllers")


@pytest.fixture
async def networks(cluster: Cluster) -> Networks:
    await cluster.coordinator({"podCIDRType": "none"})
    return Networks(cluster.api)


async def test_nad_is_made_owned_and_reported(networks: Networks) -> None:
    await networks.make("plain")
    thing = await networks.ready("plain")
    nad = await networks.nad("plain")
    [reference] = nad["metadata"]["ownerReferences"]
    assert (reference["uid"], reference["controller"]) == (thing["metadata"]["uid"], True)
    plugins = json.loads(nad["spec"]["config"])["plugins"]
    assert [plugin["type"] for plugin in plugins] == ["macvlan", "coordinator"]
    assert thing["status"]["nad"] == "plain"
    assert len(thing["status"]["configHash"]) == 16
    defaults = {"enableCoordinator": True, "disableIPAM": False}
    macvlan = {**MACVLAN["macvlan"], "mode": "bridge", "linkInContainer": False}
    assert thing["spec"] == {**MACVLAN, **defaults, "macvlan": macvlan}


async def test_nothing_but_status_is_written_on_the_users_object(networks: Networks) -> None:
    await networks.make("clean")
    meta = (await networks.ready("clean"))["metadata"]
    assert "finalizers" not in meta
    assert meta.get("annotations", {}) == {}
    ours = [each for each in meta["managedFields"] if each["manager"] == "spidercoordinator"]
    assert [each.get("subresource") for each in ours] == ["status"]


async def test_nad_goes_with_its_network(networks: Networks) -> None:
    await networks.make("short")
    await networks.ready("short")
    await networks.delete("short")
    await networks.gone("short")


async def test_edit_and_deletion_are_healed_by_their_events(networks: Networks) -> None:
    await networks.make("healed")
    await networks.ready("healed")
    config = (await networks.nad("healed"))["spec"]["config"]

    async def mended() -> bool:
        nad = await networks.nad("healed")
        owned = nad.get("metadata", {}).get("ownerReferences")
        return bool(owned and nad.get("spec", {}).get("config") == config)

    for harm in (
        {"spec": {"config": "{}"}},
        {"spec": None},
        {"metadata": {"ownerReferences": None}},
        None,
    ):
        await (networks.change_nad("healed", harm) if harm else networks.delete_nad("healed"))
        # Long before the resync, which would repair it in minutes; how soon is for the benchmark.
        await eventually("the NAD is as it was", mended)


async def test_foreign_metadata_stays_and_ours_follows_the_network(networks: Networks) -> None:
    await networks.make("shared", annotations={"team": "blue", "old": "1"})
    await networks.ready("shared")
    foreign = {"labels": {"theirs": "1"}, "annotations": {"note": "theirs"}}
    await networks.change_nad("shared", {"metadata": foreign})
    await networks.change("shared", {"metadata": {"annotations": {"team": "red", "old": None}}})

    async def followed() -> bool:
        meta = (await networks.nad("shared"))["metadata"]
        return bool(meta["annotations"].get("team") == "red" and "old" not in meta["annotations"])

    await eventually("the NAD's annotations follow", followed)
    meta = (await networks.nad("shared"))["metadata"]
    assert meta["labels"] == {"theirs": "1"}
    assert meta["annotations"]["note"] == "theirs"


async def test_annotations_shape_the_nad(networks: Networks) -> None:
    shape = {CR_NAME: "shown-as", CNI_VERSION: "1.1.0", CNICONFIG_NAME: "inner"}
    await networks.make("shaped", annotations=shape)
    assert (await networks.ready("shaped"))["status"]["nad"] == "shown-as"
    config = json.loads((await networks.nad("shown-as"))["spec"]["config"])
    assert (config["cniVersion"], config["name"]) == ("1.1.0", "inner")
    assert await networks.nad("shaped") == {}


async def test_inject_annotation_becomes_a_label_and_goes_with_it(networks: Networks) -> None:
    spec = {
        "cniType": "sriov",
        "sriov": {"resourceName": "acme.io/vf", "ippools": {"ipv4": ["p4"]}},
    }
    await networks.make(
        "injected", spec, {NETWORK_INJECT: "rack-1"}, labels={"mine": "1", "other": "2"}
    )

    async def labels() -> dict[str, str]:
        found: dict[str, str] = (await networks.get("injected"))["metadata"].get("labels", {})
        return found

    async def labelled() -> bool:
        return (await labels()) == {"mine": "1", "other": "2", NETWORK_INJECT: "rack-1"}

    await eventually("the label is there", labelled)
    await networks.change("injected", {"metadata": {"annotations": {NETWORK_INJECT: None}}})

    async def bare() -> bool:
        return (await labels()) == {"mine": "1", "other": "2"}

    await eventually("the label is gone, the user's own are not", bare)


async def test_type_can_be_changed_later(networks: Networks) -> None:
    await networks.make("changing", {"cniType": "custom", "customCNI": '{"type":"bridge"}'})
    await networks.ready("changing")
    await networks.change("changing", {"spec": {**MACVLAN, "customCNI": ""}})

    async def changed() -> bool:
        return '"macvlan"' in (await networks.nad("changing"))["spec"]["config"]

    await eventually("the NAD is of the new type", changed)


async def test_transitions_are_told_as_events(networks: Networks) -> None:
    await networks.make_nad("taken", "{}")
    await networks.make("taken")
    await networks.has("taken", "NameConflict")
    await networks.delete_nad("taken")
    await networks.ready("taken")

    async def told() -> set[str]:
        events, _ = await networks.api.list(
            EVENTS,
            NAMESPACE,
            fields="involvedObject.name=taken,involvedObject.kind=" + SPIDERMULTUSCONFIGS.kind,
        )
        return {event["reason"] for event in events}

    async def both() -> bool:
        return {"NameConflict", "InSync"} <= await told()

    await eventually("conflict and its end are reported", both)


async def test_status_is_written_once(networks: Networks) -> None:
    await networks.make("quiet")
    before = (await networks.ready("quiet"))["metadata"]["resourceVersion"]
    # A second network is made so after the first one would have been touched again.
    await networks.change_nad("quiet", {"metadata": {"labels": {"a": "b"}}})
    await networks.make("after")
    await networks.ready("after")
    assert (await networks.get("quiet"))["metadata"]["resourceVersion"] == before
