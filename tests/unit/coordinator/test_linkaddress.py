"""vethLinkAddress: whether pods get it, which of them, and what it collides with."""

from __future__ import annotations

import pytest

from spidercoordinator.core.cidrs.nodeaddresses import NodeAddresses
from spidercoordinator.core.coordinator.linkaddress import (
    OWNED,
    Surroundings,
    link_address_condition,
    link_address_warnings,
)

AROUND = Surroundings(
    pod_cidr=("10.244.0.0/16", "fd00:10::/48"),
    service_cidr=("10.96.0.0/12",),
    gateways=("10.6.0.1", "169.254.9.9"),
)
NOWHERE = Surroundings()


@pytest.mark.parametrize(
    ("address", "mode", "families", "status", "told"),
    [
        ("", "auto", None, False, "Unset: veth0 has no address"),
        ("none", "auto", None, False, "SwitchedOff: vethLinkAddress is none"),
        ("169.254.100.1", "disabled", None, False, "Disabled: no veth0"),
        ("169.254.100.1", "disable", None, False, "Disabled: no veth0"),
        ("", "disabled", None, False, "Disabled: no veth0"),
        ("169.254.100.1", "overlay", None, False, "Overlay: no veth0 in mode overlay"),
        ("169.254.100.1", "auto", None, True, "Set: pods with an IPv4 address has 169.254.100.1"),
        ("169.254.100.1", "underlay", {4, 6}, True, "Set: with IPv6 alone they do not get it"),
        ("169.254.100.1", "auto", {4}, True, "Set: veth0 of pods has 169.254.100.1"),
        ("169.254.100.1", "auto", {6}, False, "FamilyMismatch: pods have no IPv4 address"),
        ("fe80::1", "auto", None, True, "Set: no pod has an IPv4 address on veth0"),
        ("fe80::1", "auto", {6}, True, "Set: veth0 of pods has fe80::1"),
        ("fe80::1", "auto", {4}, False, "FamilyMismatch: pods have no IPv6 address"),
        ("8.8.8.8", "auto", None, True, "Set: has 8.8.8.8"),
        ("169.254.169.254", "auto", None, True, "Set: has 169.254.169.254"),
    ],
)
def test_true_means_that_pods_get_it(
    address: str, mode: str, families: set[int] | None, *, status: bool, told: str
) -> None:
    known = frozenset(families) if families else None
    state = link_address_condition(address, mode=mode, families=known)
    reason, _, text = told.partition(": ")
    assert (state.type, state.status, state.reason) == ("VethLinkAddress", status, reason)
    assert text in state.message


@pytest.mark.parametrize("address", ["", "none"])
def test_istio_needs_one(address: str) -> None:
    state = link_address_condition(address, istio=True)
    assert (state.status, state.reason) == (False, "IstioNeedsIt")
    assert "169.254.100.1" in state.message


def warnings(address: str, around: Surroundings = AROUND, *families: int) -> list[tuple[str, str]]:
    found = link_address_warnings(address, "spec.x", around, frozenset(families) or None)
    return [(each.reason, str(each)) for each in found]


@pytest.mark.parametrize("address", sorted(OWNED))
def test_addresses_of_others_are_warned_of(address: str) -> None:
    reason, text = warnings(address)[0]
    assert reason == "AddressInUse"
    assert len(text) <= 250
    assert text.startswith(f"spec.x: {address} belongs to {OWNED[address]}")


@pytest.mark.parametrize(
    ("address", "reason", "text"),
    [
        ("10.244.3.4", "AddressInUse", "the pod CIDR 10.244.0.0/16"),
        ("10.96.0.10", "AddressInUse", "the service CIDR 10.96.0.0/12"),
        ("fd00:10::9", "AddressInUse", "the pod CIDR fd00:10::/48"),
        ("10.6.0.1", "AddressInUse", "a gateway of policyRoutes"),
        ("169.254.9.9", "AddressInUse", "a gateway of policyRoutes"),
        ("8.8.8.8", "NotLinkLocal", "8.8.8.8 is not link-local"),
        ("fd00::1", "NotLinkLocal", "fd00::1 is not link-local"),
        ("FE80::ECEE:EEFF:FEEE:EEEE", "AddressInUse", "gateway Calico"),
    ],
)
def test_collisions_are_warned_of(address: str, reason: str, text: str) -> None:
    found, message = warnings(address)[0]
    assert found == reason
    assert text in message


def test_an_address_of_a_node_is_warned_of_by_its_name() -> None:
    nodes = NodeAddresses.of([("worker-7", ["192.168.1.7", "fd00:1::7"])])
    for address in ("192.168.1.7", "FD00:1::7"):
        reason, message = warnings(address, Surroundings(nodes=nodes))[0]
        assert (reason, "belongs to node worker-7," in message) == ("AddressInUse", True)
    assert warnings("192.168.1.8", Surroundings(nodes=nodes))[0][0] == "NotLinkLocal"


@pytest.mark.parametrize("address", ["", "none", "169.254.100.1", "169.254.0.1", "169.254.200.1"])
def test_nothing_is_said_of_a_good_one(address: str) -> None:
    assert warnings(address) == warnings(address, NOWHERE) == []


@pytest.mark.parametrize(
    ("around", "families", "told"),
    [
        (NOWHERE, (), True),
        (AROUND, (), True),
        (AROUND, (4,), True),
        (AROUND, (4, 6), True),
        (AROUND, (6,), False),
        (Surroundings(service_cidr=("fd00::/112",)), (), False),
    ],
)
def test_an_ipv6_address_is_warned_of_where_ipv4_is_used(
    around: Surroundings, families: tuple[int, ...], *, told: bool
) -> None:
    assert all(len(text) <= 220 for _, text in warnings("fe80::1", around, *families))
    reasons = [reason for reason, _ in warnings("fe80::1", around, *families)]
    assert reasons == (["NoIPv4LinkAddress"] if told else [])
