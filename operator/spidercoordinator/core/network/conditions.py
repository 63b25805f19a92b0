"""The conditions of a network that do not keep it from being ready."""

from __future__ import annotations

from typing import Final

from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.api.scalars import OFF
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.coordinator.linkaddress import link_address_condition
from spidercoordinator.core.network.compatibility import network_warnings, subject_of
from spidercoordinator.core.network.ipam import ClusterIPAM
from spidercoordinator.core.network.linkuse import shared_link_warning
from spidercoordinator.core.network.nodecollisions import node_address_warning
from spidercoordinator.core.network.sharing import overlap_warning
from spidercoordinator.core.status.conditions import ConditionState
from spidercoordinator.core.status.warnings import degraded_condition

_OTHER: Final = "OtherNetwork"
"""Reason of the condition LinkShared."""


def network_conditions(  # noqa: PLR0913 - all that they tell of, most of it by keyword
    spec: SpiderMultusConfigSpec,
    cluster: ClusterConfig | None,
    ipam: ClusterIPAM | None = None,
    *,
    cni_version: str = "",
    overlap: str | None = None,
    node_address: str | None = None,
    shared_link: str | None = None,
) -> list[ConditionState]:
    """VethLinkAddress where the coordinator runs, and Degraded while there are warnings.

    Args:
        spec: A spec that `core.network.validation` found nothing wrong with.
        cluster: The effective SpiderCoordinator; None while there is none.
        ipam: What the cluster has of IPAM; None while that is not known.
        cni_version: Version of the list that is rendered; empty when that is not known.
        overlap: Why pods of this network and of another get the same addresses, None if they do
            not.
        node_address: Which addresses of nodes pods may get, None for none.
        shared_link: Why pods of this network and of another cannot share a node, None if they can.
    """
    subject = subject_of(spec, cluster, ipam, cni_version=cni_version)
    shared = [overlap_warning(overlap, spec.cni_type)] if overlap else []
    on_nodes = [node_address_warning(node_address, spec.cni_type)] if node_address else []
    conditions = degraded_condition([*network_warnings(subject), *shared, *on_nodes])
    if shared_link:
        # By itself: it is about two networks, each of which is right alone.
        told = shared_link_warning(shared_link, spec.cni_type)
        conditions.append(
            ConditionState(told.reason, status=True, reason=_OTHER, message=str(told))
        )
    if not spec.runs_coordinator:
        return conditions
    effective = subject.effective
    own = spec.coordinator.veth_link_address if spec.coordinator else None
    address = OFF if own == OFF else effective.get("veth_link_address", "")
    state = link_address_condition(
        address, mode=effective.get("mode", "auto"), families=subject.families
    )
    return [state, *conditions]
