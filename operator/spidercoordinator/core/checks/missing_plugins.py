"""Whether the nodes have the CNI plugins that a SpiderMultusConfig calls.

Nodes report them when the installer's pod starts (docs/decisions/0009), so this only ever leads to
a warning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.core.checks.abridged import abridged
from spidercoordinator.core.checks.masters import NAMED, NodeInterfaces
from spidercoordinator.core.network.called import called_plugins
from spidercoordinator.core.network.validation import Problem

_EVERYWHERE: Final = "loopback"
"""Runtimes call it for every pod. A directory without it is not the one that the node's plugins are
in: runtimes and Multus may look into several, such as CRI-O's /usr/libexec/cni."""


def missing_plugins(
    spec: SpiderMultusConfigSpec,
    nodes: Collection[NodeInterfaces],
    default_ipam: Mapping[str, Any] | None = None,
) -> Iterator[Problem]:
    """Each plugin that some of the nodes that reported their plugins do not have, once.

    Nodes whose plugins are elsewhere are not counted.

    Args:
        spec: A spec that `core.network.validation` found nothing wrong with.
        nodes: What the nodes reported.
        default_ipam: IPAM of a network that names none; None when that is not known.
    """
    reports = ((each.node, each.interfaces.plugins or ()) for each in nodes)
    known = {node: plugins for node, plugins in reports if _EVERYWHERE in plugins}
    told: set[str] = set()
    for field, name in called_plugins(spec, default_ipam or {}):
        lacking = sorted(node for node, plugins in known.items() if name not in plugins)
        if lacking and name not in told:
            told.add(name)
            yield Problem(field, _message(name, lacking, len(known)))


def _message(name: str, lacking: list[str], count: int) -> str:
    shown = abridged(lacking, NAMED)
    if len(lacking) == count:
        where = f"is on none of the {count} nodes looked at ({shown}), so pods fail"
    else:
        where = f"is not on {len(lacking)} of the {count} nodes looked at ({shown})"
    return (
        f'CNI plugin "{name}" {where}; install it (nodes report when the installer\'s pod starts)'
    )
