"""A pod's addresses are announced, so that who knew their former owner reaches the pod at once."""

import pytest

from tests.cni.conftest import wait_for
from tests.cni.routing import DUAL, own
from tests.cni.topology import Pod, Segment

FORMER = "02:00:00:00:00:99"
both = pytest.mark.parametrize("family", DUAL)


def known(segment: Segment, family: int, address: str) -> str:
    """Return the hardware address by which the machine beside the node knows an address."""
    entries = segment.lan.ip(f"-{family} neigh show {address} dev eth0")
    return str(entries[0].get("lladdr")) if entries else ""


def knows_the_former_owner(segment: Segment, family: int, address: str) -> None:
    segment.lan.run(f"ip -{family} neigh replace {address} lladdr {FORMER} dev eth0 nud stale")


@both
@pytest.mark.parametrize("again", [False, True], ids=["first ADD", "second ADD"])
def test_who_knew_a_former_owner_learns_the_new_one(
    pod: Pod, segment: Segment, family: int, again: bool
) -> None:
    pod.attach(families=DUAL)
    if again:
        pod.coordinator()
    address, link = own(pod, "eth0", family), pod.space.link("eth0")
    assert link is not None
    knows_the_former_owner(segment, family, address)
    answer = pod.coordinator()
    assert "not sent" not in answer.get("warnings", "")
    wait_for(lambda: known(segment, family, address) == link["address"])
    assert f"{address} dev eth0" not in pod.space.run(f"ip -{family} neigh show")


def test_several_addresses_of_one_subnet(pod: Pod, segment: Segment) -> None:
    pod.attach()
    for last in (8, 9):
        pod.space.run(f"ip addr add 10.6.1.{last}/16 dev eth0")
        knows_the_former_owner(segment, 4, f"10.6.1.{last}")
    pod.coordinator()
    link = pod.space.link("eth0")
    assert link is not None
    for last in (8, 9):
        wait_for(lambda ip=f"10.6.1.{last}": known(segment, 4, ip) == link["address"])  # type: ignore[misc]


@both
def test_it_can_be_switched_off(pod: Pod, segment: Segment, family: int) -> None:
    pod.attach(families=DUAL)
    address = own(pod, "eth0", family)
    knows_the_former_owner(segment, family, address)
    other = segment.pod()
    other.attach(families=DUAL)
    pod.coordinator(announce=False)
    knows_the_former_owner(segment, family, own(other, "eth0", family))
    other.coordinator()
    wait_for(lambda: known(segment, family, own(other, "eth0", family)) != FORMER)
    assert known(segment, family, address) == FORMER
