"""Which IPAM a network gets that names none, and what it says where there is no IPAM for it.

The operator's setting comes first; unset, Spiderpool's IPAM is taken where its kinds are served.
Where they are not, its plugin fails every pod, so such a network has no IPAM and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from spidercoordinator.api.multus import SPIDERPOOL, SpiderMultusConfigSpec
from spidercoordinator.api.networks import IPPools, VlanNetwork

SPIDERPOOL_KIND: Final = "spiderippools.spiderpool.spidernet.io"
"""The CRD without which Spiderpool's IPAM has no addresses to give."""

_SPIDERPOOL_SECTION: Final = {"type": SPIDERPOOL}

CHARTS: Final = "the chart's defaultIPAM"
"""How messages name the IPAM of a network that names none."""

NO_IPAM: Final = (
    "the network has no IPAM, so its pods get no address and do not start: set spec.ipam, such as"
    " {type: whereabouts, range: 10.6.0.0/16}, or the chart's defaultIPAM, or install Spiderpool;"
    " if they shall have none, set disableIPAM: true"
)
"""Why pods of a network do not start that names no IPAM where nothing else gives it one."""

NO_SPIDERPOOL: Final = (
    f"Spiderpool's IPAM is wanted, but the API server has no {SPIDERPOOL_KIND}, so pods fail to"
    " start: install Spiderpool, or set another IPAM in spec.ipam or the chart's defaultIPAM"
)
"""What is said of a network that wants Spiderpool's IPAM where it is not installed."""


@dataclass(frozen=True, slots=True)
class ClusterIPAM:
    """What the cluster has of IPAM.

    Attributes:
        default: CNI IPAM object of a network that names none; empty where there is none.
        spiderpool: whether Spiderpool's kinds are served; None when that is not known.
    """

    default: Mapping[str, Any] = field(default_factory=dict)
    spiderpool: bool | None = None


def cluster_ipam(
    configured: Mapping[str, Any], spiderpool: bool | None, before: ClusterIPAM | None = None
) -> ClusterIPAM:
    """Decide on the IPAM of networks that name none.

    Args:
        configured: The operator's setting, empty when it is unset.
        spiderpool: Whether Spiderpool's kinds are served; None when that cannot be read now.
        before: What was decided last, which holds while it cannot be read.
    """
    if spiderpool is None and before is not None:
        spiderpool = before.spiderpool
    if configured:
        return ClusterIPAM(configured, spiderpool)
    # Without evidence that they are missing nothing that works may be taken away.
    return ClusterIPAM({} if spiderpool is False else _SPIDERPOOL_SECTION, spiderpool)


def default_of(spec: SpiderMultusConfigSpec, default: Mapping[str, Any]) -> Mapping[str, Any]:
    """The IPAM object of this network when it names none; vlanMode auto knows Spiderpool's alone.

    Args:
        spec: The network.
        default: `ClusterIPAM.default`.
    """
    network = spec.network
    by_pool = isinstance(network, VlanNetwork) and network.vlan_mode == "auto"
    return _SPIDERPOOL_SECTION if by_pool else default


def lacks_ipam(spec: SpiderMultusConfigSpec, default: Mapping[str, Any]) -> bool:
    """Whether pods of the network would need an address and nobody is there to give one."""
    wanted = spec.network is not None and not spec.disable_ipam
    return wanted and not section_of(spec, default)


def names_pools(pools: IPPools | None) -> bool:
    """Whether ippools says something, which only Spiderpool's IPAM understands."""
    return pools is not None and bool(pools.ipv4 or pools.ipv6 or pools.match_master_subnet)


def section_of(spec: SpiderMultusConfigSpec, default: Mapping[str, Any]) -> Mapping[str, Any]:
    """The IPAM section of a network without its pools; empty where it has none of its own.

    Args:
        spec: The network.
        default: `ClusterIPAM.default`.
    """
    network = spec.network
    if network is None or spec.disable_ipam:
        return {}
    if spec.ipam is not None:
        return spec.ipam.wire()
    if names_pools(network.ippools):
        return _SPIDERPOOL_SECTION
    return default_of(spec, default)


def ipam_type(spec: SpiderMultusConfigSpec, default: Mapping[str, Any]) -> str:
    """The IPAM plugin of a network, empty where it has none or where its text says it."""
    return str(section_of(spec, default).get("type", ""))
