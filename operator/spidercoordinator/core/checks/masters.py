"""Whether the nodes have the interfaces that a SpiderMultusConfig is put on.

Nodes report their interfaces when the installer's pod starts (docs/decisions/0009). Not all of
them do, and a report may be old: so this only ever leads to a warning, and only when nothing that
is known speaks for the name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.api.networks import IPoIBNetwork, MasterNetwork
from spidercoordinator.core.checks.abridged import abridged
from spidercoordinator.core.network.validation import Problem

NAMED: Final = 2
"""How many nodes a message names."""


@dataclass(frozen=True, slots=True)
class Interfaces:
    """What one node reported: its interfaces, and its CNI plugins.

    Attributes:
        names: names and alternative names of interfaces.
        unlisted: how names begin that may be on the node all the same.
        truncated: whether there are further names.
        plugins: names of CNI plugins; None when they were not reported.
    """

    names: frozenset[str]
    unlisted: tuple[str, ...] = ()
    truncated: bool = False
    plugins: frozenset[str] | None = None

    def surely_lack(self, name: str) -> bool:
        """Whether the node surely does not have an interface of this name."""
        return not (self.truncated or name in self.names or name.startswith(self.unlisted))


@dataclass(frozen=True, slots=True)
class NodeInterfaces:
    """What a pod of the installer reported.

    Attributes:
        node: the node's name.
        interfaces: what the node has.
    """

    node: str
    interfaces: Interfaces


def missing_masters(
    spec: SpiderMultusConfigSpec, nodes: Collection[NodeInterfaces]
) -> Iterator[Problem]:
    """Each master that is on none of the nodes that reported their interfaces.

    One that is on some nodes only is fine: pods may be kept to these.
    """
    for field, name in _masters(spec):
        if nodes and all(each.interfaces.surely_lack(name) for each in nodes):
            yield Problem(field, _message(name, sorted({each.node for each in nodes})))


def _masters(spec: SpiderMultusConfigSpec) -> Iterator[tuple[str, str]]:
    """Field and name of each master.

    A VLAN interface is made on its master, which must be there. So must the masters of a bond, also
    of one that is there already: the ifacer plugin takes no other than one of them.
    """
    network = spec.network
    if isinstance(network, IPoIBNetwork):
        yield f"spec.{spec.cni_type}.master", network.master
    elif isinstance(network, MasterNetwork):
        for index, name in enumerate(network.master):
            yield f"spec.{spec.cni_type}.master[{index}]", name


def _message(name: str, nodes: list[str]) -> str:
    if len(nodes) == 1:
        where = f"is not on {nodes[0]}, the only node looked at"
    else:
        where = f"is on none of the {len(nodes)} nodes looked at ({abridged(nodes, NAMED)})"
    return (
        f'"{name}" {where}; check it with `ip link` there (nodes report their interfaces when the'
        " installer's pod starts: one added later is not known)"
    )
