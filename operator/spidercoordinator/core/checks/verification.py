"""What `helm test` makes in a cluster, and what has to become of it.

Each judgement looks at objects as they were read and says what is amiss. Most of it may come right
by waiting; a verdict that is final will not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from spidercoordinator.api import nad as contract
from spidercoordinator.api.objects import Object
from spidercoordinator.api.scalars import OFF
from spidercoordinator.core.checks.diagnosis import Finding
from spidercoordinator.core.checks.explanation import FIRST, Attachment, judge_inside
from spidercoordinator.core.checks.podreport import VETH, PodReport
from spidercoordinator.core.coordinator.section import NOT_READY_KEY
from spidercoordinator.core.coordinator.status import SYNCED
from spidercoordinator.core.network.status import INVALID, READY, readiness
from spidercoordinator.core.nodes.findings import NODES_READY

NETWORK_STATUS: Final = "k8s.v1.cni.cncf.io/network-status"
"""What Multus writes on each pod that it attaches to a network (NPWG specification, section 5)."""

NOBODYS_IPAM: Final[Object] = {"type": "host-local", "ranges": [[{"subnet": "192.0.2.0/24"}]]}
"""Addresses that are nobody's (RFC 5737, TEST-NET-1)."""

_WITHOUT_ADDRESS: Final = ("disable", "disabled")
_OPERATOR: Final = "see whether the operator's pod runs, and its log"
_MULTUS: Final = "install Multus; until then no pod gets a network of ours"


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried.

    Attributes:
        namespace: of all that is made.
        name: of the network, its NAD and the pod.
        interface: of the nodes, the network's master.
        pod: labels, annotations and spec of the pod.
        ipam: CNI IPAM object of the network; empty for addresses that are nobody's.
        owner: owner reference with which all goes when the test is cut off; empty for none.
    """

    namespace: str
    name: str
    interface: str
    pod: Object
    ipam: Object = field(default_factory=dict)
    owner: Object = field(default_factory=dict)

    @property
    def network(self) -> Object:
        """The SpiderMultusConfig: what a user would write."""
        spec: Object = {
            "cniType": "macvlan",
            "macvlan": {"master": [self.interface]},
            "ipam": self.ipam or NOBODYS_IPAM,
        }
        if not self.ipam:
            # No gateway answers there, and nobody else has such an address.
            spec["coordinator"] = {"detectGateway": False, "detectIPConflict": False}
        return {"metadata": self._metadata(), "spec": spec}

    @property
    def attached_pod(self) -> Object:
        """A pod whose first interface is the network's."""
        given: Object = self.pod.get("metadata") or {}
        annotations = {**(given.get("annotations") or {}), FIRST: f"{self.namespace}/{self.name}"}
        meta = {**self._metadata(), "labels": given.get("labels") or {}, "annotations": annotations}
        return {"metadata": meta, "spec": self.pod.get("spec") or {}}

    def _metadata(self) -> Object:
        owned = {"ownerReferences": [self.owner]} if self.owner else {}
        return {"name": self.name, "namespace": self.namespace, **owned}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a step stands.

    Attributes:
        amiss: what is not as it should be; None where the step is done.
        final: whether waiting does not change it.
    """

    amiss: Finding | None = None
    final: bool = False


DONE: Final = Verdict()


def judge_coordinator(name: str, coordinator: Object | None) -> Verdict:
    """The effective SpiderCoordinator is there, and knows the cluster."""
    what = f"SpiderCoordinator {name}"
    if coordinator is None:
        advice = "create it, or helm upgrade with coordinator.enabled=true"
        return Verdict(Finding("ERROR", what, "does not exist", advice))
    status = coordinator.get("status") or {}
    if not status:
        return Verdict(Finding("ERROR", what, "no operator has looked at it", _OPERATOR))
    if status.get("phase") != SYNCED:
        value = f"is {status.get('phase')}, and no pod starts until it is {SYNCED}"
        return Verdict(Finding("ERROR", what, value, str(status.get("reason") or _OPERATOR)))
    return DONE


def effective_address(coordinator: Object) -> str:
    """The vethLinkAddress that a network without its own gets; empty for none."""
    spec = coordinator.get("spec") or {}
    address = str(spec.get("vethLinkAddress") or "")
    return "" if address == OFF or spec.get("mode") in _WITHOUT_ADDRESS else address


def judge_multus(*, served: bool) -> Verdict:
    """The kind that Multus brings is there."""
    what = f"kind {contract.NAD_KIND} ({contract.NAD_API_VERSION})"
    if not served:
        return Verdict(Finding("ERROR", what, "the API server does not have it", _MULTUS), True)
    return DONE


def judge_network(network: Object, nad: Object | None, address: str) -> Verdict:
    """The network is Ready, and its NAD says what the cluster is set to.

    Args:
        network: as it was made, with its status.
        nad: the NAD of its name; None if there is none.
        address: the vethLinkAddress in effect, empty for none.
    """
    meta = network["metadata"]
    name = f"{meta['namespace']}/{meta['name']}"
    what = f"SpiderMultusConfig {name}"
    state, reason = readiness(network)
    if state == "Unknown":
        return Verdict(Finding("ERROR", what, "no operator has looked at it", _OPERATOR))
    if state != "True":
        value = f"is not {READY}: {reason}"
        finding = Finding("ERROR", what, value, _condition(network, READY).get("message", ""))
        nodes = _condition(network, NODES_READY)
        return Verdict(finding, reason == INVALID or nodes.get("status") == "False")
    made_from = ((nad or {}).get("metadata") or {}).get("annotations") or {}
    what = f"NetworkAttachmentDefinition {name}"
    if made_from.get(contract.NETWORK) != f"{meta['name']}/{meta['uid']}":
        return Verdict(Finding("ERROR", what, "was not made", _OPERATOR))
    section = Attachment(meta["namespace"], meta["name"], first=True, nad=nad).section or {}
    if section.get(NOT_READY_KEY):
        return Verdict(Finding("ERROR", what, "pods do not start", str(section[NOT_READY_KEY])))
    if str(section.get("vethLinkAddress") or "") != address:
        value = f"has vethLinkAddress {section.get('vethLinkAddress') or 'none'}"
        advice = f"the SpiderCoordinator says {address or 'none'}; {_OPERATOR}"
        return Verdict(Finding("ERROR", what, value, advice))
    return DONE


def judge_pod(pod: Object, events: Sequence[Object]) -> Verdict:
    """The pod started, and its container ended well.

    Args:
        pod: as it is now.
        events: of the pod, in any order.
    """
    meta, status = pod["metadata"], pod.get("status") or {}
    where = f" on {node}" if (node := (pod.get("spec") or {}).get("nodeName")) else ""
    what = f"Pod {meta['namespace']}/{meta['name']}{where}"
    phase = status.get("phase")
    if phase == "Succeeded":
        return DONE
    if phase == "Failed":
        return Verdict(Finding("ERROR", what, f"failed: {_end(status)}", _IMAGE), True)
    if told := _waiting(status):
        return Verdict(Finding("ERROR", what, f"does not start: {told}", _IMAGE))
    if told := _last_warning(events):
        return Verdict(Finding("ERROR", what, f"does not start: {told}", _NODE))
    if told := _unscheduled(status):
        return Verdict(Finding("ERROR", what, f"no node takes it: {told}", _NODES))
    return Verdict(Finding("ERROR", what, f"is {phase or 'not started'}", _NODE))


_IMAGE: Final = (
    "the image is installer.image, or test.image if that is set: it has to be on the node"
)
_NODE: Final = (
    "test.interface has to be an interface of the nodes; spidercoordinator doctor --all-nodes says"
    " what they lack"
)
_NODES: Final = "it goes where the installer does: installer.nodeSelector, installer.tolerations"


def attached_by_multus(pod: Object, report: PodReport) -> bool:
    """Whether Multus made the pod's interfaces, or our plugin was there anyway."""
    annotations = pod["metadata"].get("annotations") or {}
    return NETWORK_STATUS in annotations or report.interface(VETH) is not None


def without_multus(pod: Object) -> Finding:
    """Why nothing can be said of the pod's interfaces."""
    meta = pod["metadata"]
    value = f"was not attached by Multus (it has no annotation {NETWORK_STATUS}); skipped"
    return Finding("NOTE", f"Pod {meta['namespace']}/{meta['name']}", value, _MULTUS)


def judge_report(nad: Object, report: PodReport) -> list[Finding]:
    """What the pod lacks of what its NAD says."""
    meta = nad["metadata"]
    section = Attachment(meta["namespace"], meta["name"], first=True, nad=nad).section
    return [each for each in judge_inside(section or {}, report) if each.level == "ERROR"]


def addresses(report: PodReport) -> str:
    """What veth0 has, to read."""
    veth = report.interface(VETH)
    if veth is None:
        return f"no {VETH}"
    return f"{VETH} with {', '.join(veth.addresses) or 'no address'}"


def _condition(network: Object, kind: str) -> Object:
    conditions: list[Object] = (network.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each.get("type") == kind), {})


def _end(status: Object) -> str:
    for each in status.get("containerStatuses") or ():
        if end := (each.get("state") or {}).get("terminated"):
            return str(end.get("message") or end.get("reason") or end)
    return str(status.get("message") or status.get("reason") or "it says nothing")


def _waiting(status: Object) -> str:
    """What a container waits for that does not come by itself, such as its image."""
    for each in status.get("containerStatuses") or ():
        waiting = (each.get("state") or {}).get("waiting") or {}
        if waiting.get("message"):
            return f"{waiting.get('reason')}: {waiting['message']}"
    return ""


def _last_warning(events: Sequence[Object]) -> str:
    warnings = [each for each in events if each.get("type") == "Warning"]
    if not warnings:
        return ""
    last = max(warnings, key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime")))
    return f"{last.get('reason')}: {last.get('message')}"


def _unscheduled(status: Object) -> str:
    for each in status.get("conditions") or ():
        if each.get("type") == "PodScheduled" and each.get("status") == "False":
            return str(each.get("message"))
    return ""
