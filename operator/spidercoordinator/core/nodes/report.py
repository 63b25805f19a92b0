"""What one node reports of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_EVERYWHERE: Final = "loopback"
"""Runtimes call it for every pod. A directory without it is not the one that the node's plugins are
in: runtimes and Multus may look into several, such as CRI-O's /usr/libexec/cni."""
_MULTUS: Final = "multus"
"""How the names of Multus' programs begin: `multus`, and `multus-shim` beside its daemon."""


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What a node has. Each answer is None where the report does not tell.

    Attributes:
        interfaces: names and alternative names of interfaces; None when the reporter cannot see
            them.
        unlisted: how names begin that may be on the node all the same.
        truncated: whether there are further interfaces.
        plugins: names of CNI plugins; None when they were not reported.
        versions: CNI versions that a plugin speaks, by its name; none for one that did not say.
        mtus: MTU in bytes by an interface's name.
    """

    interfaces: frozenset[str] | None
    unlisted: tuple[str, ...] = ()
    truncated: bool = False
    plugins: frozenset[str] | None = None
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mtus: Mapping[str, int] = field(default_factory=dict)

    def has_interface(self, name: str) -> bool | None:
        """Whether there is an interface of this name."""
        if self.interfaces is None:
            return None
        if name in self.interfaces:
            return True
        return None if self.truncated or name.startswith(self.unlisted) else False

    def has_plugin(self, name: str) -> bool | None:
        """Whether there is a CNI plugin of this name."""
        return name in (self.plugins or ()) if self._lists_plugins() else None

    def has_multus(self) -> bool | None:
        """Whether a program of Multus is among the plugins, without which it serves no pod."""
        if not self._lists_plugins():
            return None
        return any(name.startswith(_MULTUS) for name in self.plugins or ())

    def speaks(self, plugin: str, version: str) -> bool | None:
        """Whether a plugin speaks a CNI version."""
        known = self.versions.get(plugin)
        return version in known if known else None

    def bears_mtu(self, interface: str, mtu: int) -> bool | None:
        """Whether an interface on top of this one may have an MTU of so many bytes."""
        known = self.mtus.get(interface)
        return mtu <= known if known else None

    def _lists_plugins(self) -> bool:
        return self.plugins is not None and _EVERYWHERE in self.plugins
