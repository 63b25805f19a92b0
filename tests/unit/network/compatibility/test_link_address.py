"""What a network says of vethLinkAddress, its own or an inherited one."""

from __future__ import annotations

import pytest

from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.conditions import network_conditions
from tests.unit.network.compatibility.networks import (
    V6,
    Spec,
    cluster,
    of,
    parsed,
    warnings,
)


@pytest.mark.parametrize(
    ("spec", "around", "status", "reason"),
    [
        (of("macvlan"), cluster(), False, "Unset"),
        (of("macvlan"), cluster(vethLinkAddress="169.254.100.1"), True, "Set"),
        (
            of("macvlan", coordinator={"vethLinkAddress": ""}),
            cluster(vethLinkAddress="169.254.100.1"),
            True,
            "Set",
        ),
        (
            of("macvlan", coordinator={"vethLinkAddress": "none"}),
            cluster(vethLinkAddress="169.254.100.1"),
            False,
            "SwitchedOff",
        ),
        (
            of("macvlan", {"ippools": V6}),
            cluster(vethLinkAddress="169.254.100.1"),
            False,
            "FamilyMismatch",
        ),
        (of("macvlan"), cluster(vethLinkAddress="169.254.100.1", mode="overlay"), False, "Overlay"),
    ],
)
def test_the_network_says_whether_its_pods_get_the_link_address(
    spec: Spec, around: ClusterConfig, *, status: bool, reason: str
) -> None:
    state, *others = network_conditions(parsed(spec).spec, around)
    assert (state.type, state.status, state.reason) == ("VethLinkAddress", status, reason)
    assert others == []


def test_a_network_without_coordinator_says_nothing_of_the_link_address() -> None:
    for spec in (of("macvlan", enableCoordinator=False), {"cniType": "custom"}):
        assert network_conditions(parsed(spec).spec, cluster()) == []


def test_own_address_is_warned_of_here_and_an_inherited_one_is_not() -> None:
    own = of("macvlan", coordinator={"vethLinkAddress": "10.96.0.10"})
    [found] = warnings(own)
    assert (found.reason, found.field) == ("AddressInUse", "spec.coordinator.vethLinkAddress")
    assert warnings(of("macvlan"), cluster(vethLinkAddress="8.8.8.8")) == []
