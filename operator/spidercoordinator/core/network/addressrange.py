"""Addresses that an IPAM plugin gives out: a range, and what it leaves out of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spidercoordinator.api.scalars import IPAddress, IPNetwork


@dataclass(frozen=True, slots=True)
class AddressRange:
    """Addresses that an IPAM plugin gives out.

    Attributes:
        key: where it stands in the section.
        subnet: the network that the addresses are in.
        first: the first address.
        last: the last one.
        gateway: the router of the subnet that the plugin names, None for none.
        ignored: an end that the plugin passes over, None for none.
        excluded: what the plugin leaves out, such as the gateway: first and last address of each
            part as numbers, lowest first.
    """

    key: str
    subnet: IPNetwork
    first: IPAddress
    last: IPAddress
    gateway: IPAddress | None = None
    ignored: IPAddress | None = None
    excluded: tuple[tuple[int, int], ...] = ()

    def overlaps(self, other: AddressRange) -> bool:
        """Whether an address is in both."""
        if self.subnet.version != other.subnet.version:
            return False
        return int(self.first) <= int(other.last) and int(other.first) <= int(self.last)

    def gives(self, address: IPAddress) -> bool:
        """Whether a pod may get this address."""
        if address.version != self.subnet.version:
            return False
        return self.next_given(int(address)) == int(address)

    def next_given(self, number: int) -> int | None:
        """The lowest address from this one on that a pod may get, None for none.

        Args:
            number: an address of the range's family.
        """
        number = max(number, int(self.first))
        for first, last in self.excluded:
            if first <= number <= last:
                number = last + 1
        return number if number <= int(self.last) else None


def left_out(
    subnet: IPNetwork, addresses: Iterable[IPAddress], networks: Iterable[IPNetwork] = ()
) -> tuple[tuple[int, int], ...]:
    """What a plugin leaves out of a subnet, as `AddressRange.excluded` has it."""
    version = subnet.version
    single = [(int(each), int(each)) for each in addresses if each.version == version]
    whole = [
        (int(each.network_address), int(each.broadcast_address))
        for each in networks
        if each.version == version
    ]
    return tuple(sorted([*single, *whole]))
