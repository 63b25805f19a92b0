"""Whose NAD it is, on a real API server: rivals, NADs of others, adoption, renaming."""

from __future__ import annotations

import asyncio

import pytest

from spidercoordinator.api.nad import ADOPT, ADOPTED_CONFIG, CR_NAME
from tests.apiserver.harness import Cluster, eventually
from tests.apiserver.networks import Networks

pytestmark = pytest.mark.usefixtures("operator", "controllers")

THEIRS = '{"cniVersion":"0.3.1","type":"bridge"}'


@pytest.fixture
async def networks(cluster: Cluster) -> Networks:
    await cluster.coordinator({"podCIDRType": "none"})
    return Networks(cluster.api)


async def owner(networks: Networks, nad: str) -> str:
    references = (await networks.nad(nad)).get("metadata", {}).get("ownerReferences") or [{}]
    return str(references[0].get("name", ""))


async def test_of_two_rivals_one_wins_and_the_other_takes_over_when_it_goes(
    networks: Networks,
) -> None:
    await networks.wanting("first", "common")
    await networks.ready("first")
    await networks.wanting("second", "common")
    conflict = await networks.has("second", "NameConflict")
    assert "SpiderMultusConfig first" in conflict["message"]
    assert CR_NAME in conflict["message"]
    assert await owner(networks, "common") == "first"
    await networks.delete("first")
    await networks.ready("second")
    assert await owner(networks, "common") == "second"


async def test_rivals_made_together_have_one_winner(networks: Networks) -> None:
    names = ["delta", "charlie", "bravo", "alpha"]
    await asyncio.gather(*(networks.wanting(name, "prize") for name in names))

    async def settled() -> bool:
        statuses = [(await networks.get(name)).get("status") or {} for name in names]
        return all(status.get("conditions") for status in statuses)

    await eventually("each has a status", settled)
    winner = await owner(networks, "prize")
    assert winner in names
    for name in names:
        if name == winner:
            await networks.ready(name)
        else:
            await networks.has(name, "NameConflict")


async def test_loser_gets_the_name_when_the_winner_wants_another(networks: Networks) -> None:
    await networks.wanting("one", "common")
    await networks.ready("one")
    await networks.wanting("two", "common")
    await networks.has("two", "NameConflict")
    await networks.change("one", {"metadata": {"annotations": {CR_NAME: "elsewhere"}}})
    await networks.ready("two")
    assert (await owner(networks, "common"), await owner(networks, "elsewhere")) == ("two", "one")


async def test_renaming_removes_the_old_nad(networks: Networks) -> None:
    await networks.make("moving")
    await networks.ready("moving")
    await networks.change("moving", {"metadata": {"annotations": {CR_NAME: "moved"}}})
    await networks.gone("moving")
    assert await owner(networks, "moved") == "moving"
    await networks.change("moving", {"metadata": {"annotations": {CR_NAME: None}}})
    await networks.gone("moved")
    assert await owner(networks, "moving") == "moving"


async def test_old_nad_stays_while_the_new_name_is_taken(networks: Networks) -> None:
    await networks.make_nad("occupied", THEIRS)
    await networks.make("staying")
    await networks.ready("staying")
    await networks.change("staying", {"metadata": {"annotations": {CR_NAME: "occupied"}}})
    await networks.has("staying", "NameConflict")
    assert await owner(networks, "staying") == "staying"


async def test_nad_of_others_is_left_alone(networks: Networks) -> None:
    before = await networks.make_nad("theirs", THEIRS)
    await networks.make("theirs")
    conflict = await networks.has("theirs", "NameConflict")
    assert ADOPT in conflict["message"]
    assert await networks.nad("theirs") == before
    await networks.delete("theirs")
    await networks.make("later")
    await networks.ready("later")
    assert await networks.nad("theirs") == before


async def test_adopted_nad_is_managed_and_released_unharmed(networks: Networks) -> None:
    await networks.make_nad(
        "lent", THEIRS, annotations={ADOPT: "true", "note": "theirs"}, labels={"a": "b"}
    )
    await networks.make("lent")
    await networks.ready("lent")
    nad = await networks.nad("lent")
    assert '"macvlan"' in nad["spec"]["config"]
    assert nad["metadata"]["annotations"][ADOPTED_CONFIG] == THEIRS
    assert "ownerReferences" not in nad["metadata"]
    await networks.change_nad("lent", {"spec": {"config": "{}"}})

    async def mended() -> bool:
        return '"macvlan"' in (await networks.nad("lent"))["spec"]["config"]

    await eventually("an edit of an adopted NAD is healed", mended)
    await networks.delete("lent")

    async def returned() -> bool:
        return bool((await networks.nad("lent"))["spec"]["config"] == THEIRS)

    await eventually("the NAD is released", returned)
    meta = (await networks.nad("lent"))["metadata"]
    assert meta["annotations"] == {ADOPT: "true", "note": "theirs"}
    assert meta["labels"] == {"a": "b"}


async def test_adoption_ends_with_its_annotation(networks: Networks) -> None:
    await networks.make_nad("asked", THEIRS)
    await networks.make("asked")
    await networks.has("asked", "NameConflict")
    await networks.change_nad("asked", {"metadata": {"annotations": {ADOPT: "true"}}})
    await networks.ready("asked")
    await networks.change_nad("asked", {"metadata": {"annotations": {ADOPT: None}}})
    await networks.has("asked", "NameConflict")
    nad = await networks.nad("asked")
    assert nad["spec"]["config"] == THEIRS
    assert nad["metadata"].get("annotations", {}) == {}


async def test_nad_that_is_being_deleted_is_waited_for(networks: Networks) -> None:
    await networks.make("held")
    await networks.ready("held")
    await networks.change_nad("held", {"metadata": {"finalizers": ["example.com/hold"]}})
    first = (await networks.nad("held"))["metadata"]["uid"]
    await networks.delete_nad("held")
    await networks.has("held", "NADTerminating")
    await networks.change_nad("held", {"metadata": {"finalizers": None}})
    await networks.ready("held")
    assert (await networks.nad("held"))["metadata"]["uid"] != first


async def test_network_made_again_at_once_keeps_a_nad(networks: Networks) -> None:
    await networks.make("again")
    await networks.ready("again")
    await networks.delete("again")
    made = await networks.make("again")

    async def owned() -> bool:
        references = (await networks.nad("again")).get("metadata", {}).get("ownerReferences") or []
        return [each["uid"] for each in references] == [made["metadata"]["uid"]]

    await eventually("the NAD belongs to the new one", owned)
    await networks.ready("again")
