"""When a NAD goes and when it stays: never lightly, on an API server with a garbage collector."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from spidercoordinator.api.crd import SPIDER_MULTUS_CONFIG, crd
from spidercoordinator.api.nad import ADOPT, CR_NAME
from spidercoordinator.kube.resource import (
    CUSTOM_RESOURCE_DEFINITIONS,
    EVENTS,
    SPIDERMULTUSCONFIGS,
    Object,
)
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import kubectl
from tests.apiserver.harness import Cluster, Operator, eventually
from tests.apiserver.networks import Networks

pytestmark = pytest.mark.usefixtures("controllers")

THEIRS = '{"cniVersion":"0.3.1","type":"bridge"}'
KIND = "spidermultusconfigs.spiderpool.spidernet.io"
NAD_KIND = "network-attachment-definitions.k8s.cni.cncf.io"


@pytest.fixture
def process(server: ApiServer, tmp_path: Path) -> Iterator[Operator]:
    made = Operator(server.kubeconfig, tmp_path / "log")
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def networks(cluster: Cluster, process: Operator) -> Networks:
    assert process.running()
    await cluster.coordinator({"podCIDRType": "none"})
    return Networks(cluster.api)


async def passed_over(networks: Networks) -> None:
    """Wait until the operator has seen all that was done before: it handles what comes later."""
    await networks.make("afterwards")
    await networks.ready("afterwards")


async def told(networks: Networks, name: str, reason: str) -> Object:
    """Wait for an Event about an object of this name; gives it."""

    async def check() -> Object | None:
        events, _ = await networks.api.list(EVENTS, fields=f"involvedObject.name={name}")
        return next((each for each in events if each["reason"] == reason), None)

    found: Object = await eventually(f"Event {reason} about {name}", check)
    return found


@pytest.mark.parametrize("cascade", ["background", "foreground"])
async def test_a_deleted_networks_nad_is_collected(
    networks: Networks, server: ApiServer, cascade: str
) -> None:
    await networks.make("going")
    await networks.ready("going")
    kubectl(server.kubeconfig, "delete", KIND, "going", f"--cascade={cascade}")
    await networks.gone("going")
    assert not await networks.get("going")


async def test_an_orphaned_nad_stays_and_is_taken_by_a_network_of_the_name(
    networks: Networks, server: ApiServer
) -> None:
    await networks.make("kept")
    await networks.ready("kept")
    before = await networks.nad("kept")
    kubectl(server.kubeconfig, "delete", KIND, "kept", "--cascade=orphan")
    await passed_over(networks)
    nad = await networks.nad("kept")
    assert nad["metadata"]["uid"] == before["metadata"]["uid"]
    assert nad["spec"] == before["spec"]
    assert "ownerReferences" not in nad["metadata"]
    made = await networks.make("kept")
    await networks.ready("kept")
    nad = await networks.nad("kept")
    assert nad["metadata"]["uid"] == before["metadata"]["uid"]
    assert nad["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
    assert "taken over" in (await told(networks, "kept", "NADAdopted"))["message"]


async def test_none_of_many_orphans_is_given_back_to_what_is_being_deleted(
    networks: Networks, server: ApiServer
) -> None:
    # The orphan's lost owner reference is often observed before the network's deletion.
    names = [f"orphan-{number}" for number in range(20)]
    for name in names:
        await networks.make(name)
    for name in names:
        await networks.ready(name)
    before = {name: (await networks.nad(name))["metadata"]["uid"] for name in names}
    kubectl(server.kubeconfig, "delete", KIND, *names, "--cascade=orphan")
    await passed_over(networks)
    nads = {name: await networks.nad(name) for name in names}
    assert {name: nad["metadata"]["uid"] for name, nad in nads.items()} == before
    assert all("ownerReferences" not in nad["metadata"] for nad in nads.values())


async def test_an_edit_of_a_terminating_networks_nad_changes_nothing(networks: Networks) -> None:
    await networks.make("lingering")
    await networks.ready("lingering")
    await networks.change("lingering", {"metadata": {"finalizers": ["example.com/hold"]}})
    await networks.delete("lingering")
    await networks.change_nad("lingering", {"metadata": {"labels": {"a": "b"}}})
    await passed_over(networks)
    assert await networks.nad("lingering")
    await networks.change("lingering", {"metadata": {"finalizers": None}})
    await networks.gone("lingering")


@pytest.mark.parametrize("managed", [False, True], ids=["kubectl", "with managed fields"])
async def test_a_copy_of_a_nad_is_left_alone(networks: Networks, *, managed: bool) -> None:
    network = await networks.make("original", annotations={CR_NAME: "first"})
    await networks.ready("original")
    nad = await networks.nad("first")
    meta = nad["metadata"]
    keys = ("annotations", "ownerReferences", *(("managedFields",) if managed else ()))
    await networks.make_nad("copy", nad["spec"]["config"], **{key: meta[key] for key in keys})
    copy = await networks.nad("copy")
    assert copy["metadata"]["ownerReferences"][0]["uid"] == network["metadata"]["uid"]
    await networks.change("original", {"spec": {"macvlan": {"master": ["eth1"]}}})
    await networks.ready("original")
    await networks.change("original", {"metadata": {"annotations": {CR_NAME: "second"}}})
    await networks.gone("first")
    await passed_over(networks)
    assert await networks.nad("copy") == copy
    assert "first" in (await told(networks, "original", "NADDeleted"))["message"]


async def test_a_former_nad_that_changes_is_deleted_as_it_is_then(networks: Networks) -> None:
    await networks.make("renamed", annotations={CR_NAME: "alpha"})
    await networks.ready("renamed")
    for former, name in pairwise(("alpha", "beta", "gamma")):
        # The operator may have seen neither of the two when it handles the first of them.
        await networks.change_nad(former, {"metadata": {"labels": {"a": name}}})
        await networks.change("renamed", {"metadata": {"annotations": {CR_NAME: name}}})
        await networks.gone(former)
    await networks.ready("renamed")
    assert await networks.nad("gamma")


async def unserved(networks: Networks, *, served: bool) -> None:
    """Have the API server serve SpiderMultusConfigs no more, or again."""
    manifest: dict[str, Any] = crd(SPIDER_MULTUS_CONFIG)
    [version] = manifest["spec"]["versions"]
    version["served"] = served
    await networks.api.apply(CUSTOM_RESOURCE_DEFINITIONS, manifest)

    async def so() -> bool:
        return await networks.api.serves(SPIDERMULTUSCONFIGS) == served

    await eventually(f"the kind is served: {served}", so)


async def test_nads_outlive_the_time_in_which_their_kind_is_not_served(
    networks: Networks, server: ApiServer, process: Operator
) -> None:
    await networks.make_nad("borrowed", THEIRS, annotations={ADOPT: "true"})
    for name in ("stable", "borrowed"):
        await networks.make(name)
        await networks.ready(name)
    before = {name: await networks.nad(name) for name in ("stable", "borrowed")}
    await unserved(networks, served=False)
    try:
        # Its watches break and it lists anew, which is when it would find them gone.
        server.stop_apiserver()
        server.start_apiserver()

        async def noticed() -> bool:
            return "answered 404" in process.text() or not process.running()

        await eventually("the operator has noticed", noticed, seconds=120)
        assert {name: await networks.nad(name) for name in before} == before
    finally:
        await unserved(networks, served=True)
    if not process.running():
        process.start()
    await networks.change("stable", {"spec": {"macvlan": {"master": ["eth7"]}}})
    await networks.ready("stable")
    await networks.ready("borrowed")
    for name, nad in before.items():
        assert (await networks.nad(name))["metadata"]["uid"] == nad["metadata"]["uid"]


async def test_an_adopted_nad_is_released_when_its_network_went_unseen(
    networks: Networks, process: Operator
) -> None:
    await networks.make_nad("lent", THEIRS, annotations={ADOPT: "true", "note": "theirs"})
    await networks.make("lent")
    await networks.ready("lent")
    process.stop()
    await networks.delete("lent")
    process.start()

    async def returned() -> bool:
        return bool((await networks.nad("lent"))["spec"]["config"] == THEIRS)

    await eventually("the NAD is released", returned)
    event = await told(networks, "lent", "NADReleased")
    assert event["involvedObject"]["kind"] == "NetworkAttachmentDefinition"

    async def disowned() -> bool:
        meta = (await networks.nad("lent"))["metadata"]
        return all(each["manager"] != "spidercoordinator" for each in meta["managedFields"])

    await eventually("no managed field is the operator's", disowned)
    meta = (await networks.nad("lent"))["metadata"]
    assert meta["annotations"] == {ADOPT: "true", "note": "theirs"}


async def test_an_adopted_nad_is_released_when_its_network_was_made_anew_elsewhere(
    networks: Networks, process: Operator
) -> None:
    await networks.make_nad("loan", THEIRS, annotations={ADOPT: "true"})
    await networks.make("loan")
    await networks.ready("loan")
    process.stop()
    await networks.delete("loan")
    await networks.make("loan", annotations={CR_NAME: "own"})
    process.start()
    await networks.ready("loan")

    async def returned() -> bool:
        return bool((await networks.nad("loan"))["spec"]["config"] == THEIRS)

    await eventually("the NAD is released", returned)


async def test_what_an_edit_lost_is_said(networks: Networks, process: Operator) -> None:
    await networks.make("edited", annotations={"team": "blue"})
    await networks.ready("edited")
    assert "was created" in (await told(networks, "edited", "NADCreated"))["message"]
    config = (await networks.nad("edited"))["spec"]["config"]
    harm = {
        "metadata": {"annotations": {"team": "red"}},
        "spec": {"config": config.replace('"master":"eth0"', '"master":"eth9"')},
    }
    await networks.change_nad("edited", harm)
    message = (await told(networks, "edited", "NADHealed"))["message"]
    assert "spec.config.plugins[0].master (was eth9)" in message
    assert "annotation team (was red)" in message
    assert "SpiderMultusConfig default/edited" in message
    assert message in process.text()
    assert (await networks.nad("edited"))["spec"]["config"] == config

    async def counted() -> bool:
        return process.metric('spidercoordinator_nad_changes_total{reason="NADHealed"}') >= 1

    await eventually("the metric counts it", counted)
