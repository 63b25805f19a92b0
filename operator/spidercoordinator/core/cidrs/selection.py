"""Which pod and service CIDRs the cluster has: the choice among what the sources say.

A source gives a `Finding`. Findings come in order of trust; each list is chosen by itself, so a
source that knows only one of the two does not spoil the other. What a less trusted source says
beyond the chosen list is a conflict: reported, never merged and never hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import Literal

from spidercoordinator.api.coordinator import PodCIDRTypeName, SpiderCoordinatorSpec
from spidercoordinator.api.scalars import IPNetwork, parse_network

Which = Literal["pod", "service"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one source says.

    Attributes:
        source: its name, as status shows it.
        type: the podCIDRType its pod CIDRs belong to.
        pod: pod CIDRs.
        service: service CIDRs.
        tells: which of the two lists it can know at all.
        lacks: why it says nothing, for the reason of a NotReady.
        defers: its plugin hands out what the cluster configured, so ask the cluster's sources.
        doubts: what is odd about it, reported as conflict.
    """

    source: str
    type: PodCIDRTypeName = "cluster"
    pod: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    tells: tuple[Which, ...] = ("pod", "service")
    lacks: str = ""
    defers: bool = False
    doubts: str = ""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A CNI plugin whose own pools tell the pod CIDRs, and how surely it runs here.

    Attributes:
        type: the podCIDRType that stands for it.
        strength: 0 no sign of it; 1 its objects are in use, which may be left-overs; 2 its agents
            are deployed.
        evidence: what that is seen from.
        chained: whether it leaves the addresses to another plugin.
    """

    type: PodCIDRTypeName
    strength: int
    evidence: str = ""
    chained: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """One list of CIDRs.

    Attributes:
        cidrs: normalised, without duplicates, in the order of the source.
        source: name of the source, empty when no source knows.
        tried: what each source lacked, when none knows.
        conflicts: what other sources say that does not fit.
    """

    cidrs: tuple[str, ...] = ()
    source: str = ""
    tried: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Discovered:
    """What the cluster's CIDRs come to.

    Attributes:
        type: the podCIDRType in use; what `auto` came to.
        because: why that type.
        pod: the pod CIDRs.
        service: the service CIDRs.
        doubts: conflicts that concern the type itself.
    """

    type: PodCIDRTypeName
    because: str
    pod: Chosen
    service: Chosen
    doubts: tuple[str, ...] = ()

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Everything that does not fit together."""
        return self.doubts + self.pod.conflicts + self.service.conflicts


def normalise(entries: Iterable[str]) -> tuple[str, ...]:
    """CIDRs with host bits masked and duplicates dropped, order kept; a bare address is a /32.

    Entries that are no networks are dropped: sources are parsed before, specs are validated.
    """
    networks = (parse_network(entry.strip()) for entry in entries)
    return tuple(dict.fromkeys(str(network) for network in networks if network is not None))


def collapse(entries: Iterable[str]) -> tuple[str, ...]:
    """The fewest CIDRs that cover exactly the given ones, IPv4 first."""
    parsed = [network for entry in entries if (network := parse_network(entry)) is not None]
    four = collapse_addresses([network for network in parsed if isinstance(network, IPv4Network)])
    six = collapse_addresses([network for network in parsed if isinstance(network, IPv6Network)])
    return tuple(str(network) for network in (*four, *six))


def uncovered(entries: Iterable[str], by: Iterable[str]) -> tuple[str, ...]:
    """The entries that lie in none of the networks `by`."""
    cover = [network for entry in by if (network := parse_network(entry)) is not None]
    return tuple(
        entry
        for entry in entries
        if (inner := parse_network(entry)) is not None
        and not any(_contains(outer, inner) for outer in cover)
    )


def _contains(outer: IPNetwork, inner: IPNetwork) -> bool:
    return (
        outer.version == inner.version
        and int(outer.network_address) <= int(inner.network_address)
        and int(inner.broadcast_address) <= int(outer.broadcast_address)
    )


def choose(offers: Sequence[tuple[str, tuple[str, ...], str]]) -> Chosen:
    """Take the first offer that has CIDRs.

    Args:
        offers: source, its CIDRs, and what it lacks, most trusted first.
    """
    chosen, source = next(((cidrs, name) for name, cidrs, _ in offers if cidrs), ((), ""))
    if not source:
        return Chosen(tried=tuple(lacks for _, _, lacks in offers if lacks))
    conflicts = tuple(
        f"{name} says {', '.join(beyond)}, which {source} ({', '.join(chosen)}) does not have"
        for name, cidrs, _ in offers
        if name != source and (beyond := uncovered(cidrs, chosen))
    )
    return Chosen(chosen, source, conflicts=conflicts)


def discover(
    spec: SpiderCoordinatorSpec, findings: Sequence[Finding], plugins: Sequence[Plugin] = ()
) -> Discovered:
    """Choose both lists for a spec.

    Args:
        spec: of the effective SpiderCoordinator.
        findings: what the sources say, most trusted first.
        plugins: what is known about CNI plugins with pools of their own.
    """
    kind, because, doubts = resolve_type(spec.pod_cidr_type, findings, plugins)
    ours = [finding for finding in findings if finding.type == kind]
    if any(finding.defers for finding in ours):
        ours += [finding for finding in findings if finding.type == "cluster"]
    pod = _offers(spec.pod_cidr, "spec.podCIDR", ours, "pod")
    service = _offers(spec.service_cidr, "spec.serviceCIDR", findings, "service")
    chosen_pod = Chosen(source="podCIDRType none") if kind == "none" else choose(pod)
    if spec.pod_cidr:
        chosen_pod = choose(pod)
    doubts += tuple(f"{f.source}: {f.doubts}" for f in findings if f.doubts)
    return Discovered(kind, because, chosen_pod, choose(service), doubts)


def _offers(
    override: Sequence[str] | None, field: str, findings: Sequence[Finding], which: Which
) -> list[tuple[str, tuple[str, ...], str]]:
    if override:
        # Who sets an override wants no comparison: it is for clusters that say something wrong.
        return [(field, normalise(override), "")]
    return [
        (f.source, normalise(f.pod if which == "pod" else f.service), f.lacks)
        for f in findings
        if which in f.tells
    ]


def resolve_type(
    wanted: PodCIDRTypeName, findings: Sequence[Finding], plugins: Sequence[Plugin]
) -> tuple[PodCIDRTypeName, str, tuple[str, ...]]:
    """Find what `auto` means here: the type, why, and what speaks against it."""
    if wanted != "auto":
        return wanted, f"spec.podCIDRType is {wanted}", ()
    owners = [plugin for plugin in plugins if plugin.strength and not plugin.chained]
    strongest = max((plugin.strength for plugin in owners), default=0)
    owners = [plugin for plugin in owners if plugin.strength == strongest]
    if owners:
        first, rest = owners[0], owners[1:]
        doubts = tuple(
            f"both {first.type} ({first.evidence}) and {other.type} ({other.evidence}) run here, "
            f"{first.type} is taken; set spec.podCIDRType if that is wrong"
            for other in rest
        )
        return first.type, first.evidence, doubts
    if any(finding.pod for finding in findings if finding.type == "cluster"):
        return "cluster", "neither Calico nor Cilium gives pods their addresses here", ()
    because = "neither Calico nor Cilium gives pods their addresses here, nor does the cluster"
    return "none", because, ()
