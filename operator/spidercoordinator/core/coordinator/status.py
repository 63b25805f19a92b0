"""The status of a SpiderCoordinator, as a pure function of what was discovered.

`phase` and `reason` are what users of Spiderpool know; conditions are the detail. Lists that were
known once stay when their source is lost later, marked as last known (`core/cidrs/families.py`):
running on slightly old CIDRs beats failing every new pod. They do not stay when the type changed,
since they then belong to another CNI.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.nodeaddresses import NodeAddresses
from spidercoordinator.core.cidrs.selection import DiscoveredCIDRs, SelectedCIDRs
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.coordinator.following import FOLLOWS_NODES, follows_nodes
from spidercoordinator.core.coordinator.linkaddress import CONDITION as LINK_ADDRESS
from spidercoordinator.core.coordinator.linkaddress import (
    NEEDED_BY_ISTIO,
    link_address_condition,
)
from spidercoordinator.core.coordinator.settings import coordinator_warnings
from spidercoordinator.core.status.conditions import ConditionState, set_conditions
from spidercoordinator.core.status.warnings import FieldWarning

SYNCED: Final = "Synced"
NOT_READY: Final = "NotReady"

_DISCOVERED: Final = ("podCIDRType", "overlayPodCIDR", "serviceCIDR", "sources")

NAD_KIND_MISSING: Final = (
    "the API server has no kind NetworkAttachmentDefinition (CRD "
    "network-attachment-definitions.k8s.cni.cncf.io): install Multus or its CRD; networks are made "
    "as soon as it is there"
)


@dataclass(frozen=True, slots=True)
class StatusInputs:
    """What a status is computed from.

    Attributes:
        name: of the SpiderCoordinator.
        generation: of the object the spec is from.
        spec: its spec.
        discovered: the CIDRs selected among the sources.
        nad_kind_served: whether the kind NetworkAttachmentDefinition exists.
        previous: the status as it is now.
        now: the time in RFC 3339, for transitions.
        istio: whether Istio is installed; None when it cannot be told, which leaves the verdict on
            a missing vethLinkAddress as it was.
        undetermined: of which products it cannot be told whether they are installed, and why.
        nodes: the addresses of nodes.
    """

    name: str
    generation: int
    spec: SpiderCoordinatorSpec
    discovered: DiscoveredCIDRs
    nad_kind_served: bool
    previous: Object
    now: str
    istio: bool | None = False
    undetermined: tuple[str, ...] = ()
    nodes: NodeAddresses = NodeAddresses()  # noqa: RUF009 - it is immutable

    @property
    def needs_link_address(self) -> bool:
        """Whether there is a mesh that needs an address on veth0, as far as is known."""
        if self.istio is not None:
            return self.istio
        conditions = self.previous.get("conditions") or ()
        return any(
            (each.get("type"), each.get("reason")) == (LINK_ADDRESS, NEEDED_BY_ISTIO)
            for each in conditions
        )


@dataclass(frozen=True, slots=True)
class CoordinatorOutcome:
    """The status to write, and what networks are rendered from."""

    status: Object
    cluster: ClusterConfig


def compute_status(inputs: StatusInputs) -> CoordinatorOutcome:
    """Work out the status and the cluster's part of every network."""
    discovered = inputs.discovered
    pod, service = discovered.pod, discovered.service
    unknown = _unknown(discovered, pod, service)
    reason = unknown or ("" if inputs.nad_kind_served else NAD_KIND_MISSING)
    cluster = ClusterConfig(
        name=inputs.name,
        spec=inputs.spec,
        overlay_pod_cidr=pod.cidrs,
        service_cidr=service.cidrs,
        not_ready=f"spidercoordinator {inputs.name} is not ready: {unknown}" if unknown else "",
    )
    status = {
        "phase": NOT_READY if reason else SYNCED,
        "reason": reason or None,
        "overlayPodCIDR": list(pod.cidrs),
        "serviceCIDR": list(service.cidrs),
        "podCIDRType": discovered.type,
        "sources": {
            "overlayPodCIDR": pod.source or None,
            "serviceCIDR": service.source or None,
        },
        "observedGeneration": inputs.generation,
        "conditions": set_conditions(
            _condition_states(inputs, pod, service, unknown),
            previous=inputs.previous.get("conditions") or (),
            generation=inputs.generation,
            now=inputs.now,
        ),
    }
    return CoordinatorOutcome(status, cluster)


def not_selected_status(name: str, effective: str, generation: int, now: str) -> Object:
    """The status of a SpiderCoordinator that is not the effective one."""
    text = (
        f"not used: only the SpiderCoordinator named {effective} takes effect; "
        f"move these settings there or delete {name}"
    )
    ready = ConditionState("Ready", status=False, reason="NotSelected", message=text)
    return {
        "phase": NOT_READY,
        "reason": text,
        "observedGeneration": generation,
        "conditions": set_conditions([ready], previous=(), generation=generation, now=now),
    }


def invalid_spec_status(text: str, generation: int, previous: Object, now: str) -> Object:
    """The status of a SpiderCoordinator whose spec breaks a rule that came after it.

    What was discovered stays, since it is all that is known should its source be lost meanwhile.
    """
    ready = ConditionState("Ready", status=False, reason="InvalidSpec", message=text)
    return {
        **{field: previous[field] for field in _DISCOVERED if field in previous},
        "phase": NOT_READY,
        "reason": text,
        "observedGeneration": generation,
        "conditions": set_conditions(
            [ready], previous=previous.get("conditions") or (), generation=generation, now=now
        ),
    }


def count_networks(networks: Iterable[bool]) -> Object:
    """`status.networks` from one flag a network: whether it is in sync with the settings."""
    flags = list(networks)
    in_sync, total = sum(flags), len(flags)
    return {"inSync": in_sync, "total": total, "summary": f"{in_sync} of {total}"}


def _unknown(discovered: DiscoveredCIDRs, pod: SelectedCIDRs, service: SelectedCIDRs) -> str:
    parts = []
    if not pod.source:
        type_ = discovered.type or "auto"
        tried = f"; tried: {_tried(pod)}" if discovered.type else ""
        parts.append(
            f"the pod CIDR is unknown for podCIDRType {type_} ({discovered.reason}){tried};"
            " set spec.podCIDR if none of these can be mended"
        )
    if not service.source:
        parts.append(
            f"the service CIDR is unknown; tried: {_tried(service)};"
            " set spec.serviceCIDR if none of these can be mended"
        )
    return ". ".join(parts)


def _tried(selected: SelectedCIDRs) -> str:
    return "; ".join(selected.tried) or "nothing, no source is for this type"


def _condition_states(
    inputs: StatusInputs, pod: SelectedCIDRs, service: SelectedCIDRs, unknown: str
) -> list[ConditionState]:
    cidrs = _discovered_condition(inputs, pod, service, unknown)
    mesh, spec = inputs.needs_link_address, inputs.spec
    link = link_address_condition(spec.veth_link_address or "", mode=spec.mode, istio=mesh)
    cidrs_in_use = (pod.cidrs, service.cidrs)
    warnings = list(coordinator_warnings(spec, *cidrs_in_use, istio=mesh, nodes=inputs.nodes))
    if unknown:
        ready = ConditionState("Ready", status=False, reason="CIDRsUnknown", message=unknown)
    elif not inputs.nad_kind_served:
        ready = ConditionState(
            "Ready", status=False, reason="NoNetworkKind", message=NAD_KIND_MISSING
        )
    else:
        ready = ConditionState("Ready", status=True, reason="Ready", message="pods can be served")
    return [ready, cidrs, link, _degraded(inputs, cidrs, warnings)]


def _discovered_condition(
    inputs: StatusInputs, pod: SelectedCIDRs, service: SelectedCIDRs, unknown: str
) -> ConditionState:
    if unknown:
        return ConditionState("CIDRsDiscovered", status=False, reason="Unknown", message=unknown)
    text = (
        f"pod CIDRs from {pod.source}, service CIDRs from {service.source}; "
        f"podCIDRType {inputs.discovered.type or 'auto'}: {inputs.discovered.reason}"
    )
    if pod.last_known or service.last_known:
        tried = "; ".join(dict.fromkeys(pod.tried + service.tried))
        return ConditionState(
            "CIDRsDiscovered", status=False, reason="LastKnown", message=f"{text}; lost: {tried}"
        )
    if follows := follows_nodes(inputs.discovered.partial):
        return ConditionState(
            "CIDRsDiscovered", status=True, reason=FOLLOWS_NODES, message=f"{text}; {follows}"
        )
    return ConditionState("CIDRsDiscovered", status=True, reason="Discovered", message=text)


def _degraded(
    inputs: StatusInputs, cidrs: ConditionState, warnings: Iterable[FieldWarning]
) -> ConditionState:
    discovered = inputs.discovered
    causes: list[tuple[str, str]] = []
    if not cidrs.status:
        causes.append((cidrs.reason, cidrs.message))
    said = " ".join(text for _, text in causes)
    if unread := [each for each in discovered.unread if each not in said] + [*inputs.undetermined]:
        causes.append(("SourceNotReadable", "; ".join(unread)))
    if discovered.conflicts:
        causes.append(("SourcesDisagree", ". ".join(discovered.conflicts)))
    if follows := follows_nodes(discovered.partial):
        causes.append((FOLLOWS_NODES, follows))
    causes.extend((each.reason, str(each)) for each in warnings)
    if not causes:
        return ConditionState("Degraded", status=False, reason="AsExpected")
    message = ". ".join(text for _, text in causes)
    return ConditionState("Degraded", status=True, reason=causes[0][0], message=message)
