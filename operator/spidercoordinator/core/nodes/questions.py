"""What pods of a network need of their node: one class a kind of need."""

from __future__ import annotations

from dataclasses import dataclass

from spidercoordinator.core.nodes.report import NodeReport


@dataclass(frozen=True, slots=True)
class HasPlugin:
    """A CNI plugin of this name."""

    name: str

    def ask(self, report: NodeReport) -> bool | None:
        """Whether it is in the directory of plugins."""
        return report.has_plugin(self.name)

    def found(self, _: NodeReport) -> str:
        """Nothing: the names of the others are of no use."""
        return ""


@dataclass(frozen=True, slots=True)
class Speaks:
    """A CNI plugin that speaks a version of CNI."""

    plugin: str
    version: str

    def ask(self, report: NodeReport) -> bool | None:
        """Whether it said so; one that is not there is another question's matter."""
        return report.speaks(self.plugin, self.version)

    def found(self, report: NodeReport) -> str:
        """The versions that it does speak."""
        return ", ".join(report.versions.get(self.plugin, ()))


@dataclass(frozen=True, slots=True)
class HasInterface:
    """An interface of this name, or alternative name."""

    name: str

    def ask(self, report: NodeReport) -> bool | None:
        """Whether it is there."""
        return report.has_interface(self.name)

    def found(self, _: NodeReport) -> str:
        """Nothing: `ip link` shows more."""
        return ""


@dataclass(frozen=True, slots=True)
class BearsMTU:
    """An interface whose MTU is not below that of the pods' interfaces on it."""

    interface: str
    mtu: int

    def ask(self, report: NodeReport) -> bool | None:
        """Whether the kernel takes such an MTU on it."""
        return report.bears_mtu(self.interface, self.mtu)

    def found(self, report: NodeReport) -> str:
        """The interface's own MTU."""
        return str(report.mtus.get(self.interface, ""))


@dataclass(frozen=True, slots=True)
class HasMultus:
    """Multus, which reads the network for a pod."""

    def ask(self, report: NodeReport) -> bool | None:
        """Whether a program of it is among the plugins."""
        return report.has_multus()

    def found(self, _: NodeReport) -> str:
        """Nothing."""
        return ""
