"""The flags of the control plane's own pods, where it runs as pods (kubeadm, RKE2, kind)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.ranges import normalise
from spidercoordinator.core.cidrs.reports import CIDRKind, SourceReport
from spidercoordinator.discovery.source import Observations, WatchedObjects
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
"""The label beside `component` in the manifests of kubeadm, RKE2 and kind."""


def _is_control_plane(meta: Object) -> bool:
    # Any pod may carry the label `component` alone, such as one of an add-on.
    labelled = (meta.get("labels") or {}).get(_TIER[0]) == _TIER[1]
    return labelled or _MIRROR in (meta.get("annotations") or {})


def read_flags(obj: Object) -> _Flags | None:
    """Read the flags of a control plane pod's containers; None for a pod that has none of them."""
    meta = obj["metadata"]
    if not _is_control_plane(meta):
        return None
    words = [
        word
        for container in (obj.get("spec") or {}).get("containers") or ()
        for text in (container.get("command") or []) + (container.get("args") or [])
        for word in _words(text)
    ]
    pod, service = (_values(words, flag) for flag in (_POD_FLAG, _SERVICE_FLAG))
    component = (meta.get("labels") or {}).get("component", "")
    return _Flags(component, pod, service) if pod or service else None


def _words(text: str) -> list[str]:
    # `sh -c "exec kube-controller-manager --a=b --c=d"` hides the flags in one argument.
    if "--" not in text or not any(blank in text for blank in " \t\n"):
        return [text]
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _values(words: list[str], flag: str) -> tuple[str, ...]:
    # The last one wins, as in the component itself.
    value = ""
    for occurrence in _occurrences(words, flag):
        value = occurrence
    return normalise(value.split(","))


def _occurrences(words: list[str], flag: str) -> Iterator[str]:
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name != flag:
            continue
        if equals:
            yield value
        elif index + 1 < len(words):
            yield words[index + 1]


WATCHED: Final = WatchedObjects(
    "control plane pod in kube-system that names CIDRs",
    Selection(
        (PODS,),
        namespace="kube-system",
        labels="component in (kube-controller-manager,kube-apiserver)",
    ),
    read_flags,
)


@dataclass(frozen=True)
class ControlPlane:
    """The flags of one component.

    Attributes:
        component: value of the pods' label `component`.
        kinds: which lists its flags can name.
    """

    component: str
    kinds: tuple[CIDRKind, ...]
    watched: tuple[WatchedObjects, ...] = (WATCHED,)

    def report(self, observations: Observations) -> SourceReport:
        """The CIDRs in the component's flags; replicas that differ are reported."""
        observation = observations[WATCHED.title]
        named = [
            (name, observation.entries[name])
            for name in sorted(observation.entries)
            if observation.entries[name].component == self.component
        ]
        source, not_read = f"{self.component} flags", observation.unread(WATCHED)
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
