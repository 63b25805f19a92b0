"""What a pod's network should be, and what is wrong with what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from spidercoordinator.api.objects import Object
from spidercoordinator.api.scalars import IPNetwork, parse_network
from spidercoordinator.core.checks.diagnosis import Finding
from spidercoordinator.core.checks.podreport import VETH, Interface, PodReport
from spidercoordinator.core.network.compatibility.rule import DISABLED
from spidercoordinator.core.network.desired import config_hash
from spidercoordinator.core.network.render import json_text

FIRST: Final = "v1.multus-cni.io/default-network"
FURTHER: Final = "k8s.v1.cni.cncf.io/networks"
MARK: Final = 0x20000000
"""The plugin's bit of the packet mark (cni/internal/facts, MarkBit)."""

_AGAIN: Final = "delete the pod to have it set up again"
_JSON: Final = frozenset('[{"')
_SHOWN: Final = 64
"""Characters of an annotation that are shown."""
_CIDRS: Final = ("serviceCIDR", "overlayPodCIDR", "hijackCIDR")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One network that a pod asks for.

    Attributes:
        namespace: of the NetworkAttachmentDefinition (NAD).
        name: of the NAD.
        first: whether it is the pod's first interface.
        nad: the NAD, None if there is none.
    """

    namespace: str
    name: str
    first: bool
    nad: Object | None = None

    @property
    def section(self) -> Mapping[str, Any] | None:
        """The configuration of the coordinator plugin in it."""
        try:
            config = json_text.plain(((self.nad or {}).get("spec") or {}).get("config") or "{}")
        except ValueError:
            return None
        plugins = config.get("plugins") if isinstance(config, dict) else None
        found = [
            each
            for each in (plugins if isinstance(plugins, list) else [])
            if isinstance(each, dict) and each.get("type") == "coordinator"
        ]
        return found[0] if found else None

    @property
    def revision(self) -> str:
        """The hash of its configuration today, as status.configHash has it."""
        return config_hash(((self.nad or {}).get("spec") or {}).get("config") or "")

    @property
    def written(self) -> str:
        """When that configuration was written, RFC 3339; empty where nothing says so."""
        entries = ((self.nad or {}).get("metadata") or {}).get("managedFields") or ()
        return max(
            (
                str(each.get("time") or "")
                for each in entries
                if "f:config" in ((each.get("fieldsV1") or {}).get("f:spec") or {})
            ),
            default="",
        )


def attachments(pod: Object) -> list[Attachment]:
    """The networks that a pod asks Multus for, in the order of its interfaces.

    https://github.com/k8snetworkplumbingwg/multus-cni/blob/v4.2.3/docs/how-to-use.md
    """
    meta = pod["metadata"]
    annotations, own = meta.get("annotations") or {}, meta.get("namespace", "default")
    found = [
        Attachment(*name, first=True) for name in _selected(annotations.get(FIRST, ""), own)[:1]
    ]
    return found + [
        Attachment(*name, first=False) for name in _selected(annotations.get(FURTHER, ""), own)
    ]


def _selected(text: str, namespace: str) -> list[tuple[str, str]]:
    """Multus takes for JSON what has one of its brackets or quotes in it, and names else."""
    if not _JSON & set(text):
        names = [each.strip().partition("@")[0] for each in text.split(",") if each.strip()]
        split = [each.rpartition("/") for each in names]
        return [(where or namespace, name) for where, _, name in split]
    try:
        elements = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(elements, list):
        return []
    return [
        (str(each.get("namespace") or namespace), str(each["name"]))
        for each in elements
        if isinstance(each, dict) and each.get("name")
    ]


def judge(pod: Object, networks: list[Attachment], report: PodReport | None) -> list[Finding]:
    """What is wrong, in the order in which one works through it."""
    findings = [*_pod(pod, networks)]
    for each in networks:
        findings += _attachment(pod, each)
    section = next((each.section for each in networks if each.first and each.section), None)
    if report is None:
        return findings
    if report.unseen:
        advice = "nothing, or let explain add a container with NET_ADMIN in that namespace"
        findings.append(Finding("UNSEEN", "marks and redirects", report.unseen, advice))
    if section is not None:
        findings += judge_inside(section, report)
    return findings


def _pod(pod: Object, networks: list[Attachment]) -> Iterator[Finding]:
    phase = (pod.get("status") or {}).get("phase")
    meta = pod["metadata"]
    what = f"Pod {meta['namespace']}/{meta['name']}"
    annotations = meta.get("annotations") or {}
    for key in (FIRST, FURTHER):
        if annotations.get(key) and not _selected(annotations[key], meta["namespace"]):
            value = f"its annotation {key} names no network: {annotations[key][:_SHOWN]!r}"
            advice = "write NAMESPACE/NAME, or a JSON list of objects with a name"
            yield Finding("ERROR", what, value, advice)
    if phase != "Running":
        advice = f"kubectl describe pod -n {meta['namespace']} {meta['name']}: its Events say why"
        yield Finding("ERROR", what, f"is {phase}", advice)
    if not networks:
        advice = f"nothing, or annotate it with {FIRST} and make it again"
        yield Finding("NOTE", what, "asks for no network of Multus", advice)


def _attachment(pod: Object, network: Attachment) -> Iterator[Finding]:
    what = f"NetworkAttachmentDefinition {network.namespace}/{network.name}"
    if network.nad is None:
        yield Finding("ERROR", what, "does not exist", "kubectl get smc -A: is one not Ready?")
        return
    section = network.section
    if section is None:
        yield Finding("NOTE", what, "has no coordinator", "nothing, if that is what you want")
    elif section.get("notReadyReason"):
        yield Finding("ERROR", what, "new pods do not start", str(section["notReadyReason"]))
    made = str((pod.get("status") or {}).get("startTime") or "")
    if made and network.written > made:
        value = f"was written at {network.written}, after the pod was made at {made}"
        yield Finding("NOTE", what, value, "delete the pod to have it made with today's revision")


def judge_inside(section: Mapping[str, Any], report: PodReport) -> Iterator[Finding]:
    """What the coordinator gives a pod whose first interface is the underlay's."""
    if section.get("mode") in ("overlay", *DISABLED):
        return
    veth = report.interface(VETH)
    if veth is None:
        yield Finding("ERROR", VETH, "does not exist", _AGAIN)
        return
    if not veth.up:
        yield Finding("ERROR", VETH, "is down", f"ip link set {VETH} up in the pod, or {_AGAIN}")
    yield from _address(section, report, veth)
    yield from _routes(section, report)
    yield from _marks(report)


def _address(section: Mapping[str, Any], report: PodReport, veth: Interface) -> Iterator[Finding]:
    wanted = str(section.get("vethLinkAddress") or "")
    present = [each.partition("/")[0] for each in veth.addresses]
    if wanted and wanted not in present:
        yield Finding("ERROR", VETH, f"lacks the address {wanted} of the network", _AGAIN)
    for family in ("IPv4", "IPv6"):
        mesh = [
            e for e in report.redirects if e.family in {family, "both"} and e.kind == "REDIRECT"
        ]
        if not mesh or family in veth.families() or family not in _families(report):
            continue
        chain = f"{mesh[0].table}/{mesh[0].chain}"
        value = f"has no {family} address: the kernel drops what {chain} redirects, silently"
        advice = "set vethLinkAddress in the SpiderCoordinator, and delete the pod"
        yield Finding("ERROR", VETH, value, advice)


def _families(report: PodReport) -> set[str]:
    """The families that the pod's other interfaces have addresses of."""
    others = [each for each in report.interfaces if each.name not in {VETH, "lo"}]
    return {family for each in others for family in each.families()}


def _routes(section: Mapping[str, Any], report: PodReport) -> Iterator[Finding]:
    there = {route.to for route in report.routes if route.dev == VETH}
    for field in _CIDRS:
        for network in _networks(section.get(field)):
            if f"IPv{network.version}" in _families(report) and str(network) not in there:
                value = f"is not there ({field} of the network)"
                yield Finding("ERROR", f"route to {network} by {VETH}", value, _AGAIN)
    known = {each.ip for each in report.neighbours if each.dev == VETH and each.mac}
    for via in sorted({each.via for each in report.routes if each.dev == VETH and each.via}):
        if via not in known:
            value = f"has no entry at {VETH}"
            yield Finding("WARNING", f"neighbour {via}, the node", value, _AGAIN)


def _networks(cidrs: Any) -> Iterator[IPNetwork]:
    """Those that can be read: with any other the plugin fails, and says so."""
    for each in cidrs if isinstance(cidrs, list) else ():
        if network := parse_network(str(each)):
            yield network


def _marks(report: PodReport) -> Iterator[Finding]:
    for family in sorted(_families(report) & report.marks.keys()):
        state = report.marks[family]
        if state == "broken":
            value = "was edited: replies to NodePorts may leave by the wrong interface"
            yield Finding("ERROR", f"nftables table spidercoordinator of {family}", value, _AGAIN)
        rule = any(e.own and e.family == family and e.mark == MARK for e in report.rules)
        if state == "complete" and not rule:
            value = f"is not there for {family}: marked replies do not go to the node"
            yield Finding("ERROR", f"ip rule fwmark {MARK:#x}", value, _AGAIN)
