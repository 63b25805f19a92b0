"""What a rule of compatibility is, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.ipam import ClusterIPAM

DISABLED: Final = ("disabled", "disable")

Severity = Literal["warning", "notice"]
"""warning: pods fail or lose traffic; it is a condition, too. notice: something has no effect."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule looks at.

    Attributes:
        spec: the network's spec.
        cluster: the effective SpiderCoordinator; None when it is not known.
        effective: the coordinator's settings in effect, by field.
        families: IP versions of the pods' addresses; None when that is not known.
        ipam: what the cluster has of IPAM.
        cni_version: version of the list that is rendered; empty when that is not known.
    """

    spec: SpiderMultusConfigSpec
    cluster: ClusterConfig | None
    effective: Mapping[str, Any]
    families: frozenset[int] | None
    ipam: ClusterIPAM = field(default_factory=ClusterIPAM)
    cni_version: str = ""

    @property
    def coordinated(self) -> bool:
        """Whether the coordinator does something for pods of this network."""
        return self.spec.runs_coordinator and self.effective.get("mode") not in DISABLED


Judge = Callable[[Subject], str | None]
"""What is wrong, with the values, and what to do; None when the rule does not apply."""


@dataclass(frozen=True, slots=True)
class CompatibilityRule:
    """One combination of fields.

    Attributes:
        reason: one CamelCase word, for programs.
        severity: see `Severity`.
        field: path of the field that is to blame; `{network}` stands for the type's property,
            `{ipam}` for the one that holds the IPAM section, `{text}` for the one that holds JSON.
        judge: see `Judge`.
    """

    reason: str
    severity: Severity
    field: str
    judge: Judge
