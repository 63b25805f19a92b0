"""Which addresses of nodes an IPAM plugin may give to a pod, and which networks that holds of."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from spidercoordinator.api.objects import Name
from spidercoordinator.core.cidrs.nodeaddresses import NodeAddresses
from spidercoordinator.core.network.addressrange import AddressRange
from spidercoordinator.core.network.ipamkeys import HOST_LOCAL, WHEREABOUTS
from spidercoordinator.core.network.sharing import AddressPool
from spidercoordinator.core.status.warnings import FieldWarning

REASON: Final = "NodeAddressInRange"
_SHOWN: Final = 3
"""As many are named, the lowest: a node more mostly changes no text."""


def given_by(of_pods: AddressRange, nodes: NodeAddresses) -> Iterator[tuple[int, str]]:
    """The addresses of nodes that a pod may get, and whose they are, lowest first."""
    entries = nodes.entries.get(of_pods.subnet.version, ())
    at = bisect_left(entries, (int(of_pods.first), ""))
    while at < len(entries):
        number = of_pods.next_given(entries[at][0])
        if number is None:
            return
        if number == entries[at][0]:
            yield entries[at]
            at += 1
        else:
            at = bisect_left(entries, (number, ""), at)


@dataclass(slots=True)
class NodeCollisions:
    """Which networks give out addresses of nodes, as they were told.

    Attributes:
        told: what was said of each network of which something is to be said.
    """

    told: dict[Name, str] = field(default_factory=dict)
    _addresses: NodeAddresses | None = None

    def judge(
        self, network: Name, pool: AddressPool | None, addresses: NodeAddresses
    ) -> str | None:
        """What is to be said of a network now; None for nothing.

        Args:
            network: its name.
            pool: what it gives addresses from, None where that is not known.
            addresses: the nodes'.
        """
        message = node_address_given(pool.kind, pool.ranges, addresses) if pool else None
        self.remove(network)
        if message is not None:
            self.told[network] = message
        return message

    def remove(self, network: Name) -> None:
        """Forget a network."""
        self.told.pop(network, None)

    def follow(self, addresses: NodeAddresses, pools: Mapping[Name, AddressPool]) -> list[Name]:
        """Those of which something else is to be said than they were told.

        Args:
            addresses: the nodes', now; the same object as before tells that nothing changed.
            pools: what each network gives addresses from.
        """
        if addresses is self._addresses:
            return []
        unchanged = addresses == self._addresses
        self._addresses = addresses
        return [] if unchanged else [n for n, pool in pools.items() if self._differs(pool)]

    def _differs(self, pool: AddressPool) -> bool:
        addresses = self._addresses or NodeAddresses()
        message = node_address_given(pool.kind, pool.ranges, addresses)
        return message != self.told.get(pool.network)


def node_address_given(
    kind: str, ranges: Iterable[AddressRange], nodes: NodeAddresses
) -> str | None:
    """Which addresses of nodes pods may get, and how to leave them out; None for none.

    Args:
        kind: the IPAM plugin.
        ranges: what it gives addresses from.
        nodes: the nodes' addresses.
    """
    for each in ranges:
        found = list(islice(given_by(each, nodes), _SHOWN + 1))
        if not found:
            continue
        address = type(each.first)
        shown = [(str(address(number)), name) for number, name in found[:_SHOWN]]
        named = ", ".join(f"{text} of node {name}" for text, name in shown)
        more = " and others" if len(found) > _SHOWN else ""
        return (
            f"{each.key} gives pods {named}{more}: such a pod fails to"
            f" start on that node, and takes its traffic elsewhere; {_remedy(kind, each, shown)}"
        )
    return None


def _remedy(kind: str, of_pods: AddressRange, shown: list[tuple[str, str]]) -> str:
    length = of_pods.subnet.max_prefixlen
    if kind == WHEREABOUTS:
        entries = ", ".join(f'"{text}/{length}"' for text, _ in shown)
        return f"leave them out with exclude: [{entries}] beside it"
    if kind == HOST_LOCAL:
        return "set rangeStart and rangeEnd so that they are not between"
    return "name another address"


def node_address_warning(message: str, cni_type: str) -> FieldWarning:
    """The warning of a network of a type whose pods may get an address of a node."""
    name = "spec.customCNI" if cni_type == "custom" else "spec.ipam"
    return FieldWarning(REASON, name, message)
