"""The status of a SpiderCoordinator, as a pure function of what was found.

`phase` and `reason` are what users of Spiderpool know; conditions tell the rest. Lists that were
known once stay when their source is lost later, marked as last known: running on slightly old
CIDRs beats failing every new pod. They do not stay when the type changed, since they then belong
to another CNI.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.selection import DiscoveredCIDRs, SelectedCIDRs
from spidercoordinator.core.coordinator.cluster import Cluster
from spidercoordinator.core.coordinator.linkaddress import link_address_verdict
from spidercoordinator.core.status.conditions import Verdict, conditions

SYNCED: Final = "Synced"
NOT_READY: Final = "NotReady"
LAST_KNOWN: Final = "last known, from "

NO_ATTACHMENT_KIND: Final = (
    "the API server has no kind NetworkAttachmentDefinition (CRD "
    "network-attachment-definitions.k8s.cni.cncf.io): install Multus or its CRD; networks are made "
    "as soon as it is there"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a status is computed from.

    Attributes:
        name: of the SpiderCoordinator.
        generation: of the object the spec is from.
        spec: its spec.
        discovered: what the sources came to.
        attachments_served: whether the kind NetworkAttachmentDefinition exists.
        previous: the status as it is now.
        now: the time in RFC 3339, for transitions.
        istio: whether Istio is installed.
    """

    name: str
    generation: int
    spec: SpiderCoordinatorSpec
    discovered: DiscoveredCIDRs
    attachments_served: bool
    previous: Mapping[str, Any]
    now: str
    istio: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The status to write, and what networks are rendered from."""

    status: dict[str, Any]
    cluster: Cluster


def decide(facts: Facts) -> Outcome:
    """Work out the status and the cluster's part of every network."""
    found = facts.discovered
    pod = _or_last_known(found.pod, facts, "overlayPodCIDR")
    service = _or_last_known(found.service, facts, "serviceCIDR")
    unknown = _unknown(found, pod, service)
    reason = unknown or ("" if facts.attachments_served else NO_ATTACHMENT_KIND)
    cluster = Cluster(
        name=facts.name,
        spec=facts.spec,
        overlay_pod_cidr=pod.cidrs,
        service_cidr=service.cidrs,
        not_ready=f"spidercoordinator {facts.name} is not ready: {unknown}" if unknown else "",
    )
    status = {
        "phase": NOT_READY if reason else SYNCED,
        "reason": reason or None,
        "overlayPodCIDR": list(pod.cidrs),
        "serviceCIDR": list(service.cidrs),
        "podCIDRType": found.type,
        "sources": {
            "overlayPodCIDR": pod.source or None,
            "serviceCIDR": service.source or None,
        },
        "observedGeneration": facts.generation,
        "conditions": conditions(
            _verdicts(facts, pod, service, unknown),
            previous=facts.previous.get("conditions") or (),
            generation=facts.generation,
            now=facts.now,
        ),
    }
    return Outcome(status, cluster)


def not_selected(name: str, effective: str, generation: int, now: str) -> dict[str, Any]:
    """The status of a SpiderCoordinator that is not the effective one."""
    text = (
        f"not used: only the SpiderCoordinator named {effective} takes effect; "
        f"move these settings there or delete {name}"
    )
    verdict = Verdict("Ready", holds=False, reason="NotSelected", message=text)
    return {
        "phase": NOT_READY,
        "reason": text,
        "observedGeneration": generation,
        "conditions": conditions([verdict], previous=(), generation=generation, now=now),
    }


def unusable(text: str, generation: int, previous: Mapping[str, Any], now: str) -> dict[str, Any]:
    """The status of a SpiderCoordinator whose spec breaks a rule that came after it."""
    verdict = Verdict("Ready", holds=False, reason="InvalidSpec", message=text)
    return {
        "phase": NOT_READY,
        "reason": text,
        "observedGeneration": generation,
        "conditions": conditions(
            [verdict], previous=previous.get("conditions") or (), generation=generation, now=now
        ),
    }


def count_networks(networks: Iterable[bool]) -> dict[str, Any]:
    """`status.networks` from one truth a network: whether it carries the present settings."""
    truths = list(networks)
    in_sync, total = sum(truths), len(truths)
    return {"inSync": in_sync, "total": total, "summary": f"{in_sync} of {total}"}


def _or_last_known(chosen: SelectedCIDRs, facts: Facts, field: str) -> SelectedCIDRs:
    if chosen.source:
        return chosen
    before = facts.previous
    known = tuple(before.get(field) or ())
    source = ((before.get("sources") or {}).get(field)) or ""
    same_type = before.get("podCIDRType") == facts.discovered.type
    if not known or not source or (field == "overlayPodCIDR" and not same_type):
        return chosen
    if source.startswith("spec."):
        return chosen
    return replace(chosen, cidrs=known, source=LAST_KNOWN + source.removeprefix(LAST_KNOWN))


def _unknown(found: DiscoveredCIDRs, pod: SelectedCIDRs, service: SelectedCIDRs) -> str:
    parts = [
        f"the {what} CIDR is unknown for podCIDRType {found.type} ({found.reason}); tried: "
        f"{'; '.join(chosen.tried) or 'nothing, no source is for this type'}; "
        f"set {field} if none of these can be mended"
        for what, chosen, field in (
            ("pod", pod, "spec.podCIDR"),
            ("service", service, "spec.serviceCIDR"),
        )
        if not chosen.source
    ]
    return ". ".join(parts)


def _verdicts(
    facts: Facts, pod: SelectedCIDRs, service: SelectedCIDRs, unknown: str
) -> list[Verdict]:
    discovered = _discovered(facts, pod, service, unknown)
    link = link_address_verdict(facts.spec.veth_link_address or "", istio=facts.istio)
    if unknown:
        ready = Verdict("Ready", holds=False, reason="CIDRsUnknown", message=unknown)
    elif not facts.attachments_served:
        ready = Verdict("Ready", holds=False, reason="NoNetworkKind", message=NO_ATTACHMENT_KIND)
    else:
        ready = Verdict("Ready", holds=True, reason="Ready", message="pods can be served")
    return [ready, discovered, link, _degraded(facts.discovered, discovered, link)]


def _discovered(facts: Facts, pod: SelectedCIDRs, service: SelectedCIDRs, unknown: str) -> Verdict:
    if unknown:
        return Verdict("CIDRsDiscovered", holds=False, reason="Unknown", message=unknown)
    text = (
        f"pod CIDRs from {pod.source}, service CIDRs from {service.source}; "
        f"podCIDRType {facts.discovered.type}: {facts.discovered.reason}"
    )
    if LAST_KNOWN in text:
        tried = "; ".join(facts.discovered.pod.tried + facts.discovered.service.tried)
        return Verdict(
            "CIDRsDiscovered", holds=False, reason="LastKnown", message=f"{text}; lost: {tried}"
        )
    return Verdict("CIDRsDiscovered", holds=True, reason="Discovered", message=text)


def _degraded(found: DiscoveredCIDRs, discovered: Verdict, link: Verdict) -> Verdict:
    causes: list[tuple[str, str]] = []
    if not discovered.holds:
        causes.append((discovered.reason, discovered.message))
    if found.conflicts:
        causes.append(("SourcesDisagree", ". ".join(found.conflicts)))
    if not link.holds:
        causes.append((link.reason, link.message))
    if not causes:
        return Verdict("Degraded", holds=False, reason="AsExpected")
    message = ". ".join(text for _, text in causes)
    return Verdict("Degraded", holds=True, reason=causes[0][0], message=message)
