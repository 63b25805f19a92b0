"""The indexes follow the watches, and name the networks that are concerned."""

from typing import Any

from spidercoordinator.api.nad import CR_NAME
from spidercoordinator.core.network.desired import owner_reference
from spidercoordinator.core.network.index import Claims

A, B = ("ns", "a"), ("ns", "b")


def network(name: str, cr_name: str = "") -> dict[str, Any]:
    annotations = {CR_NAME: cr_name} if cr_name else {}
    return {"metadata": {"namespace": "ns", "name": name, "annotations": annotations}}


def nad(name: str, owner: str = "") -> dict[str, Any]:
    references = [owner_reference({"name": owner, "uid": "1"})] if owner else []
    return {"metadata": {"namespace": "ns", "name": name, "ownerReferences": references}}


def test_networks_that_claim_one_name_are_indexed() -> None:
    claims = Claims()
    claims.update_network(network("a", "x"))
    claims.update_network(network("b", "x"))
    assert claims.claimants(("ns", "x")) == {A, B}
    assert claims.claimants(("ns", "a")) == frozenset()
    assert claims.claimants(("other", "x")) == frozenset()


def test_a_network_that_goes_frees_the_others() -> None:
    claims = Claims()
    claims.update_network(network("a", "x"))
    claims.update_network(network("b", "x"))
    assert claims.remove_network(A) == {B}
    assert claims.remove_network(B) == frozenset()
    assert claims.remove_network(B) == frozenset()


def test_a_network_that_claims_another_name_frees_the_others() -> None:
    claims = Claims()
    claims.update_network(network("a", "x"))
    claims.update_network(network("b", "x"))
    assert claims.update_network(network("a", "x")) == frozenset()
    assert claims.update_network(network("a", "y")) == {B}
    assert claims.claimants(("ns", "y")) == {A}


def test_a_nad_concerns_its_claimants_and_its_maker() -> None:
    claims = Claims()
    claims.update_network(network("b", "x"))
    assert claims.update_nad(nad("x", owner="a")) == {A, B}
    assert claims.products(A) == {("ns", "x")}
    # The reference was taken away: its former owner is still concerned.
    assert claims.update_nad(nad("x")) == {A, B}
    assert claims.products(A) == frozenset()
    assert claims.remove_nad(("ns", "x")) == {B}
