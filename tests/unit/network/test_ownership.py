"""Ownership of a NAD: every situation a network can find its name in, and what is done."""

from typing import Any

import pytest

from spidercoordinator.api import nad
from spidercoordinator.core.network.desired import DesiredNAD, owner_reference
from spidercoordinator.core.network.ownership import (
    Apply,
    Conflict,
    Decision,
    InSync,
    Wait,
    decide,
)
from spidercoordinator.core.network.release import Release

CONFIG = '{"type":"macvlan"}'
THEIRS = '{"type":"bridge"}'
TIME = "2026-01-01T00:00:00Z"
EARLIER = "2025-12-31T00:00:00Z"
LATER = "2026-01-02T00:00:00Z"


def desired(**changes: Any) -> DesiredNAD:
    fields: dict[str, Any] = {
        "namespace": "net-a",
        "name": "shown",
        "config": CONFIG,
        "annotations": {"team": "blue"},
        "owner": owner_reference({"name": "mine", "uid": "uid-mine"}),
        "created": TIME,
    }
    return DesiredNAD(**(fields | changes))


def network(name: str, created: str = TIME, **meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": f"uid-{name}", "creationTimestamp": created, **meta}}


def applied(decision: Decision) -> dict[str, Any]:
    assert isinstance(decision, Apply)
    return decision.body


def stored(body: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], "uid": "uid-nad", **meta}}


def ours(nad_desired: DesiredNAD | None = None) -> dict[str, Any]:
    return stored(applied(decide(nad_desired or desired(), None, [])))


def foreign(*, adopt: bool = False, **meta: Any) -> dict[str, Any]:
    annotations = {"note": "theirs", **({nad.ADOPT: "true"} if adopt else {})}
    meta = {"name": "shown", "uid": "uid-nad", "annotations": annotations, **meta}
    return {"metadata": meta, "spec": {"config": THEIRS}}


def adopted() -> dict[str, Any]:
    """A foreign NAD after it was adopted, as server-side apply leaves it."""
    before = foreign(adopt=True)
    body = applied(decide(desired(), before, []))
    annotations = before["metadata"]["annotations"] | body["metadata"]["annotations"]
    return {**body, "metadata": {**before["metadata"], "annotations": annotations}}


def test_absent_is_created_with_owner_and_annotations() -> None:
    decision = decide(desired(), None, [])
    assert isinstance(decision, Apply)
    assert decision.creates
    meta = decision.body["metadata"]
    assert meta["annotations"]["team"] == "blue"
    assert meta["ownerReferences"] == [
        {
            "apiVersion": "spiderpool.spidernet.io/v2beta1",
            "kind": "SpiderMultusConfig",
            "name": "mine",
            "uid": "uid-mine",
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]
    assert decision.body["spec"] == {"config": CONFIG}


def test_in_sync_is_left() -> None:
    assert decide(desired(), ours(), []) == InSync()


def test_foreign_metadata_is_no_drift() -> None:
    current = ours()
    current["metadata"]["labels"] = {"a": "b"}
    current["metadata"]["annotations"]["note"] = "theirs"
    current["metadata"]["ownerReferences"].append({"kind": "Team", "name": "x", "uid": "y"})
    assert decide(desired(), current, []) == InSync()


@pytest.mark.parametrize(
    "edit",
    [
        {"spec": {"config": "x"}},
        {"spec": {}},
        {"annotations": {"team": "red"}},
        {"annotations": {nad.CONTENT_HASH: "0"}},
        {"ownerReferences": []},
    ],
    ids=str,
)
def test_edit_is_reverted(edit: dict[str, Any]) -> None:
    current = ours()
    if "spec" in edit:
        current["spec"] = edit["spec"]
    if "annotations" in edit:
        current["metadata"]["annotations"] |= edit["annotations"]
    if "ownerReferences" in edit:
        current["metadata"]["ownerReferences"] = edit["ownerReferences"]
    decision = decide(desired(), current, [])
    assert isinstance(decision, Apply)
    assert not decision.creates
    assert decision.body["metadata"]["uid"] == "uid-nad"


def test_a_lost_owner_reference_is_told_from_other_edits_and_from_loans() -> None:
    lost, edited = ours(), ours()
    lost["metadata"]["ownerReferences"] = []
    edited["spec"] = {"config": "x"}
    lent = adopted()
    lent["spec"] = {"config": "x"}
    found = [decide(desired(), each, []) for each in (lost, edited, lent)]
    assert [isinstance(each, Apply) and each.reclaims for each in found] == [True, False, False]


def test_annotation_no_longer_desired_is_drift() -> None:
    body = applied(decide(desired(annotations={}), ours(), []))
    assert "team" not in body["metadata"]["annotations"]


def test_terminating_is_waited_for() -> None:
    assert decide(desired(), stored(ours(), deletionTimestamp=TIME), []) == Wait()


@pytest.mark.parametrize(
    ("rival", "wins"),
    [
        (network("other", EARLIER), False),
        (network("other", LATER), True),
        (network("alpha", TIME), False),
        (network("zulu", TIME), True),
        (network("other", EARLIER, deletionTimestamp=TIME), True),
    ],
)
def test_older_then_first_by_name_gets_a_free_name(rival: dict[str, Any], *, wins: bool) -> None:
    decision = decide(desired(), None, [rival])
    assert isinstance(decision, Apply) == wins
    if isinstance(decision, Conflict):
        assert f"SpiderMultusConfig {rival['metadata']['name']}" in decision.message
        assert nad.CR_NAME in decision.message


def test_owner_keeps_its_name_against_an_older_rival() -> None:
    assert decide(desired(), ours(), [network("other", EARLIER)]) == InSync()


def test_rivals_nad_is_not_taken_even_if_the_rival_is_younger() -> None:
    rival = owner_reference({"name": "other", "uid": "uid-other"})
    decision = decide(desired(), ours(desired(owner=rival)), [network("other", LATER)])
    assert isinstance(decision, Conflict)
    assert "belongs to SpiderMultusConfig other" in decision.message


def test_nad_of_a_predecessor_of_the_same_name_is_ours() -> None:
    before = owner_reference({"name": "mine", "uid": "uid-before"})
    body = applied(decide(desired(), ours(desired(owner=before)), []))
    assert body["metadata"]["ownerReferences"][0]["uid"] == "uid-mine"


def test_nad_orphaned_by_a_predecessor_of_the_same_name_is_ours() -> None:
    before = owner_reference({"name": "mine", "uid": "uid-before"})
    orphan = ours(desired(owner=before))
    del orphan["metadata"]["ownerReferences"]
    body = applied(decide(desired(), orphan, []))
    assert body["metadata"]["ownerReferences"][0]["uid"] == "uid-mine"


def test_orphan_of_another_network_or_a_copy_of_it_is_left_alone() -> None:
    other = owner_reference({"name": "other", "uid": "uid-other"})
    copied = ours(desired(name="original", owner=owner_reference({"name": "mine", "uid": "x"})))
    copied["metadata"]["name"] = "shown"
    for orphan in (ours(desired(owner=other)), copied):
        del orphan["metadata"]["ownerReferences"]
        assert isinstance(decide(desired(), orphan, []), Conflict)


def test_adopted_that_lost_its_former_configuration_is_not_made_to_end_with_the_network() -> None:
    current = adopted()
    del current["metadata"]["annotations"][nad.ADOPTED_CONFIG]
    body = applied(decide(desired(), current, []))
    assert "ownerReferences" not in body["metadata"]
    assert body["metadata"]["annotations"][nad.ADOPTED_CONFIG] == CONFIG


@pytest.mark.parametrize(
    ("change", "reverts"),
    [
        ({"spec": {"config": "x"}}, True),
        ({"annotations": {"team": "red"}}, True),
        ({"annotations": {nad.CONTENT_HASH: None}}, True),
        ({"annotations": {nad.CONTENT_HASH: "another"}}, False),
    ],
    ids=str,
)
def test_an_edit_of_others_is_told_from_what_is_rendered_anew(
    change: dict[str, Any], *, reverts: bool
) -> None:
    current = ours()
    current["spec"] = change.get("spec", current["spec"])
    annotations = current["metadata"]["annotations"] | change.get("annotations", {})
    current["metadata"]["annotations"] = {
        key: value for key, value in annotations.items() if value is not None
    }
    decision = decide(desired(), current, [])
    assert isinstance(decision, Apply)
    assert decision.reverts == reverts


def test_nad_of_others_is_left_alone() -> None:
    decision = decide(desired(), foreign(), [])
    assert isinstance(decision, Conflict)
    assert nad.ADOPT in decision.message


def test_nad_controlled_by_others_is_left_alone_even_if_it_may_be_adopted() -> None:
    reference = {"apiVersion": "a/v1", "kind": "Net", "name": "x", "uid": "y", "controller": True}
    decision = decide(desired(), foreign(adopt=True, ownerReferences=[reference]), [])
    assert isinstance(decision, Conflict)
    assert "controlled by Net x" in decision.message


def test_adoption_keeps_what_was_and_takes_no_ownership() -> None:
    decision = decide(desired(), foreign(adopt=True), [])
    assert isinstance(decision, Apply)
    assert decision.adopts
    meta = decision.body["metadata"]
    assert "ownerReferences" not in meta
    assert meta["annotations"][nad.ADOPTED_CONFIG] == THEIRS
    assert decision.body["spec"] == {"config": CONFIG}


def test_adopted_in_sync_is_left() -> None:
    assert decide(desired(), adopted(), []) == InSync()


def test_adopted_keeps_its_first_content_when_rendered_again() -> None:
    body = applied(decide(desired(config="new"), adopted(), []))
    assert body["metadata"]["annotations"][nad.ADOPTED_CONFIG] == THEIRS
    assert "ownerReferences" not in body["metadata"]


def test_adopted_is_released_when_the_adopt_annotation_goes() -> None:
    current = adopted()
    del current["metadata"]["annotations"][nad.ADOPT]
    decision = decide(desired(), current, [])
    assert isinstance(decision, Release)
    assert decision.patch["spec"] == {"config": THEIRS}


def test_adopted_by_a_network_made_again_is_adopted_again_with_its_first_content() -> None:
    again = desired(owner=owner_reference({"name": "mine", "uid": "uid-again"}))
    decision = decide(again, adopted(), [])
    assert isinstance(decision, Apply)
    assert decision.adopts
    assert decision.body["metadata"]["annotations"][nad.ADOPTED_CONFIG] == THEIRS
