"""The indexes follow what the watches tell, and name who is concerned."""

from typing import Any

from spidercoordinator.api.nad import CR_NAME
from spidercoordinator.core.network.desired import owner_reference
from spidercoordinator.core.network.index import Claims

A, B = ("ns", "a"), ("ns", "b")


def network(name: str, cr_name: str = "") -> dict[str, Any]:
    annotations = {CR_NAME: cr_name} if cr_name else {}
    return {"metadata": {"namespace": "ns", "name": name, "annotations": annotations}}


def attachment(name: str, owner: str = "") -> dict[str, Any]:
    references = [owner_reference({"name": owner, "uid": "1"})] if owner else []
    return {"metadata": {"namespace": "ns", "name": name, "ownerReferences": references}}


def test_those_who_want_one_name_are_known() -> None:
    claims = Claims()
    claims.note_network(network("a", "x"))
    claims.note_network(network("b", "x"))
    assert claims.wanters(("ns", "x")) == {A, B}
    assert claims.wanters(("ns", "a")) == frozenset()
    assert claims.wanters(("other", "x")) == frozenset()


def test_a_network_that_goes_frees_the_others() -> None:
    claims = Claims()
    claims.note_network(network("a", "x"))
    claims.note_network(network("b", "x"))
    assert claims.drop_network(A) == {B}
    assert claims.drop_network(B) == frozenset()
    assert claims.drop_network(B) == frozenset()


def test_a_network_that_wants_another_name_frees_the_others() -> None:
    claims = Claims()
    claims.note_network(network("a", "x"))
    claims.note_network(network("b", "x"))
    assert claims.note_network(network("a", "x")) == frozenset()
    assert claims.note_network(network("a", "y")) == {B}
    assert claims.wanters(("ns", "y")) == {A}


def test_a_nad_concerns_who_wants_it_and_who_made_it() -> None:
    claims = Claims()
    claims.note_network(network("b", "x"))
    assert claims.note_attachment(attachment("x", owner="a")) == {A, B}
    assert claims.products(A) == {("ns", "x")}
    # The reference was taken away: its former owner is still concerned.
    assert claims.note_attachment(attachment("x")) == {A, B}
    assert claims.products(A) == frozenset()
    assert claims.drop_attachment(("ns", "x")) == {B}
