"""The list of sources, most trusted first. Adding one is a file and a line here."""

from __future__ import annotations

from typing import Final

from spidercoordinator.discovery.kubeadm import Kubeadm
from spidercoordinator.discovery.servicecidrs import ServiceCIDRs
from spidercoordinator.discovery.source import Source

SOURCES: Final[tuple[Source, ...]] = (
    ServiceCIDRs(),
    Kubeadm(),
)
