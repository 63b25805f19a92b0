"""Networks that cannot share a link of a node: found, named to both, and forgotten in time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.core.network.conditions import network_conditions
from spidercoordinator.core.network.linkuse import LinkIndex, link_uses
from spidercoordinator.core.network.validation import parse

Spec = dict[str, Any]
BOND = {"name": "bond0", "mode": 1}


def of(cni_type: str, *masters: str, **fields: Any) -> Spec:
    return {"cniType": cni_type, cni_type: {"master": list(masters), **fields}}


def custom(*plugins: Spec) -> Spec:
    config = {"cniVersion": "0.4.0", "plugins": list(plugins)}
    return {"cniType": "custom", "customCNI": json.dumps(config)}


def network(name: str, spec: Any) -> Spec:
    return {"metadata": {"namespace": "x", "name": name}, "spec": spec}


def said(one: Spec, other: Spec) -> tuple[str | None, str | None]:
    index = LinkIndex()
    index.update(network("one", one))
    index.update(network("other", other))
    return index.judge(("x", "one")), index.judge(("x", "other"))


@pytest.mark.parametrize(
    ("one", "other", "text"),
    [
        pytest.param(of("macvlan", "eth1"), of("ipvlan", "eth1"), "eth1 is used by", id="types"),
        pytest.param(
            of("macvlan", "eth1", vlanID=7),
            of("ipvlan", "eth1.7"),
            "eth1.7 is used by",
            id="a VLAN, and its interface",
        ),
        pytest.param(
            of("macvlan", "eth1", mode="passthru"), of("macvlan", "eth1"), "passthru", id="passthru"
        ),
        pytest.param(
            of("macvlan", "eth1", mode="passthru"),
            of("macvlan", "eth1", mode="passthru"),
            "passthru",
            id="passthru twice",
        ),
        pytest.param(
            of("macvlan", "eth1", "eth2", bond=BOND),
            of("macvlan", "eth1"),
            "a member of bond0",
            id="a member of a bond",
        ),
        pytest.param(
            of("macvlan", "eth1", "eth2", bond=BOND),
            of("ipvlan", "eth2", "eth3", bond={"name": "bond1", "mode": 1}),
            "a member of bond",
            id="a member of two bonds",
        ),
        pytest.param(
            of("macvlan", "eth1", "eth2", bond=BOND),
            of("macvlan", "eth1", "eth2", bond={**BOND, "mode": 4}),
            "bond bond0 is a bond of eth1, eth2, mode",
            id="a bond of another mode",
        ),
        pytest.param(
            of("macvlan", "eth1", "eth2", bond=BOND),
            of("macvlan", "eth1", "eth2", bond={**BOND, "options": "miimon=100"}),
            "bond bond0",
            id="a bond with options",
        ),
        pytest.param(
            of("macvlan", "eth1", "eth2", bond=BOND), of("ipvlan", "bond0"), "bond0", id="on a bond"
        ),
        pytest.param(
            of("vlan", "eth1", vlanID=7), of("macvlan", "eth1", vlanID=7), "eth1.7", id="one VLAN"
        ),
        pytest.param(of("vlan", "eth1", vlanID=7), of("vlan", "eth1", vlanID=7), "vlan", id="vlan"),
        pytest.param(
            custom({"type": "macvlan", "master": "eth1"}), of("ipvlan", "eth1"), "eth1", id="text"
        ),
        pytest.param(
            custom({"type": "vlan", "master": "eth1", "vlanId": 7}),
            of("ipvlan", "eth1", vlanID=7),
            "eth1.7",
            id="a VLAN in a text",
        ),
    ],
)
def test_both_are_told_of_each_other(one: Spec, other: Spec, text: str) -> None:
    first, second = said(one, other)
    assert first is not None
    assert second is not None
    assert text in first
    assert text in second
    assert "SpiderMultusConfig x/other" in first
    assert "SpiderMultusConfig x/one" in second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(of("macvlan", "eth1"), of("macvlan", "eth1", mode="vepa"), id="one type"),
        pytest.param(of("ipvlan", "eth1"), of("ipvlan", "eth1"), id="ipvlan"),
        pytest.param(of("macvlan", "eth1"), of("ipvlan", "eth2"), id="two masters"),
        pytest.param(of("macvlan", "eth1"), of("ipvlan", "eth1", vlanID=7), id="a VLAN above it"),
        pytest.param(of("macvlan", "eth1"), of("vlan", "eth1", vlanID=7), id="the vlan plugin"),
        pytest.param(of("vlan", "eth1", vlanID=7), of("vlan", "eth1", vlanID=8), id="two VLANs"),
        pytest.param(
            of("vlan", "eth1", vlanMode="auto"), of("vlan", "eth1", vlanMode="auto"), id="of pools"
        ),
        pytest.param(
            of("macvlan", "eth1", "eth2", bond=BOND),
            of("macvlan", "eth2", "eth1", bond=BOND, vlanID=7),
            id="one bond",
        ),
        pytest.param(
            of("macvlan", "eth1", linkInContainer=True), of("ipvlan", "eth1"), id="in the pod"
        ),
        pytest.param(custom({"type": "macvlan"}), of("ipvlan", "eth1"), id="no master"),
        pytest.param(custom({"type": "bridge", "bridge": "eth1"}), of("ipvlan", "eth1"), id="else"),
    ],
)
def test_what_can_be_shared_is_not_spoken_of(one: Spec, other: Spec) -> None:
    assert said(one, other) == (None, None)


@pytest.mark.parametrize(
    "spec",
    [
        *(None, {}, {"cniType": "macvlan"}, {"cniType": "macvlan", "macvlan": []}),
        *(of("macvlan", vlanID="x"), {"cniType": "macvlan", "macvlan": {"master": "eth1"}}),
        of("macvlan", "a", "b", bond=[]),
        *({"cniType": "custom", "customCNI": text} for text in ('"macvlan"', '["macvlan"]', "{")),
        {"cniType": "custom", "customCNI": '{"type": "macvlan", "plugins": {}}'},
        {"cniType": "custom", "customCNI": '{"type": "macvlan", "master": 7}'},
        {"cniType": "custom", "customCNI": 7},
    ],
)
def test_of_what_cannot_be_read_nothing_is_known(spec: Any) -> None:
    assert link_uses(network("odd", spec)) == frozenset()


def test_those_of_which_something_else_holds_are_looked_at_again() -> None:
    index = LinkIndex()
    for name in ("a", "b"):
        index.update(network(name, of("macvlan", "eth1")))
    assert index.follow() == []
    index.update(network("c", of("ipvlan", "eth1")))
    index.update(network("d", of("ipvlan", "eth2")))
    assert index.follow() == [("x", "a"), ("x", "b"), ("x", "c")]
    assert all(index.judge(("x", each)) for each in "abc")
    index.update(network("e", of("ipvlan", "eth1")))
    assert index.follow() == [("x", "e")]
    index.remove(("x", "c"))
    assert index.follow() == [("x", "a"), ("x", "b"), ("x", "e")]
    index.update(network("e", of("ipvlan", "eth3")))
    assert index.follow() == [("x", "a"), ("x", "b")]
    assert [index.judge(("x", each)) for each in "abe"] == [None] * 3


SPECS = st.sampled_from(
    [
        of("macvlan", "eth1"),
        of("ipvlan", "eth1"),
        of("macvlan", "eth1", mode="passthru"),
        of("vlan", "eth1", vlanID=7),
        of("ipvlan", "eth1", vlanID=7),
        of("macvlan", "eth1", "eth2", bond=BOND),
        {},
    ]
)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.one_of(st.none(), SPECS)), max_size=12))
def test_after_any_changes_it_is_as_if_read_at_once(changes: list[tuple[str, Spec | None]]) -> None:
    index, known = LinkIndex(), dict[str, Spec]()
    for name, spec in changes:
        if spec is None:
            index.remove(("x", name))
            known.pop(name, None)
        else:
            index.update(network(name, spec))
            known[name] = spec
            index.judge(("x", name))  # as its own reconcile does
        for each in index.follow():
            index.judge(each)
    fresh = LinkIndex()
    for name, spec in known.items():
        fresh.update(network(name, spec))
    told = {name: fresh.judge(("x", name)) for name in known}
    assert {name: index.told.get(("x", name)) for name in known} == told


def test_it_is_a_condition_of_its_own() -> None:
    first, _ = said(of("macvlan", "eth1"), of("ipvlan", "eth1"))
    spec = parse({**network("one", of("macvlan", "eth1"))}).spec
    states = {each.type: each for each in network_conditions(spec, None, shared_link=first)}
    assert (states["LinkShared"].status, states["LinkShared"].reason) == (True, "OtherNetwork")
    assert states["LinkShared"].message == f"spec.macvlan.master: {first}"
    assert "Degraded" not in states
    assert "LinkShared" not in {each.type for each in network_conditions(spec, None)}
