"""The flags of the control plane's own pods, where it runs as pods.

Its static pods are labelled `component` by kubeadm, kind and RKE2, and `k8s-app` by Talos and kOps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.ranges import normalise
from spidercoordinator.core.cidrs.reports import CIDRKind, SourceReport
from spidercoordinator.discovery.flags import command_words, last, occurrences
from spidercoordinator.discovery.shapes import section, split, text
from spidercoordinator.discovery.source import Observations, WatchedObjects, unread
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import PODS

_POD_FLAG: Final = "--cluster-cidr"
_SERVICE_FLAG: Final = "--service-cluster-ip-range"


@dataclass(frozen=True, slots=True)
class _Flags:
    component: str
    pod: tuple[str, ...]
    service: tuple[str, ...]


_MIRROR: Final = "kubernetes.io/config.mirror"
"""The kubelet sets it on the mirror of a static pod."""
_TIER: Final = ("tier", "control-plane")
"""The label beside the component's in the manifests of kubeadm, RKE2, kind and Talos."""
_LABELS: Final = ("component", "k8s-app")


def _is_control_plane(meta: Object) -> bool:
    # Any pod may carry the component's label alone, such as one of an add-on.
    labelled = (meta.get("labels") or {}).get(_TIER[0]) == _TIER[1]
    return labelled or _MIRROR in (meta.get("annotations") or {})


def read_flags(obj: Object) -> _Flags | None:
    """Read the flags of a control plane pod's containers; None for a pod that has none of them."""
    meta = obj["metadata"]
    if not _is_control_plane(meta):
        return None
    words = command_words(section(obj, "spec"))
    # The last one wins, as in the component itself.
    pod, service = (
        normalise(split(last(occurrences(words, flag.lstrip("-")))))
        for flag in (_POD_FLAG, _SERVICE_FLAG)
    )
    labels = section(obj, "metadata", "labels")
    component = next(filter(None, (text(labels, label) for label in _LABELS)), "")
    return _Flags(component, pod, service) if pod or service else None


def _labelled(label: str) -> WatchedObjects:
    return WatchedObjects(
        f"control plane pod in kube-system that names CIDRs, labelled {label}",
        Selection(
            (PODS,),
            namespace="kube-system",
            labels=f"{label} in (kube-controller-manager,kube-apiserver)",
        ),
        read_flags,
    )


WATCHED, BY_APP = (_labelled(label) for label in _LABELS)


@dataclass(frozen=True)
class ControlPlane:
    """The flags of one component.

    Attributes:
        component: value of the pods' label.
        kinds: which lists its flags can name.
    """

    component: str
    kinds: tuple[CIDRKind, ...]
    watched: tuple[WatchedObjects, ...] = (WATCHED, BY_APP)

    def report(self, observations: Observations) -> SourceReport:
        """The CIDRs in the component's flags; replicas that differ are reported."""
        entries: dict[str, _Flags] = {
            name: flags
            for watched in self.watched
            for name, flags in observations[watched.title].entries.items()
            if flags.component == self.component
        }
        named = sorted(entries.items(), key=lambda each: each[0])
        source, not_read = f"{self.component} flags", unread(observations, *self.watched)
        if not named:
            missing = not_read or f"there is no {self.component} pod in kube-system"
            return SourceReport(source, kinds=self.kinds, missing=missing, unread=not_read)
        (first, flags), *rest = named
        differing = [name for name, other in rest if other != flags]
        warning = f"{first} and {', '.join(differing)} have different flags" if differing else ""
        empty = [
            flag
            for kind, flag, cidrs in (
                ("pod", _POD_FLAG, flags.pod),
                ("service", _SERVICE_FLAG, flags.service),
            )
            if kind in self.kinds and not cidrs
        ]
        missing = f"pod {first} has no usable {' and '.join(empty)}" if empty else ""
        return SourceReport(
            source,
            pod=flags.pod,
            service=flags.service,
            kinds=self.kinds,
            missing=missing,
            warning=warning,
            unread=not_read,
        )
