"""kubeadm's own record of how it made the cluster: ConfigMap kube-system/kubeadm-config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.api.yamltext import parse_all
from spidercoordinator.core.cidrs.ranges import normalise, usable
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery.source import Observations, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CONFIG_MAPS

_OBJECT: Final = "ConfigMap kube-system/kubeadm-config"
_KIND: Final = "ClusterConfiguration"


@dataclass(frozen=True, slots=True)
class _Networking:
    pod: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    missing: str = ""

    def __bool__(self) -> bool:
        """Whether all is there that it can tell, for the metric."""
        return not self.missing


def read_kubeadm_config(obj: Object) -> _Networking:
    """Read `networking` of the ClusterConfiguration; it is YAML, and read as such."""
    text = (obj.get("data") or {}).get("ClusterConfiguration")
    if text is None:
        return _Networking(missing=f"{_OBJECT} has no key ClusterConfiguration")
    try:
        documents = [each for each in parse_all(text) if isinstance(each, dict)]
    except ValueError as error:
        return _Networking(missing=f"ClusterConfiguration of {_OBJECT} is no YAML: {error}")
    # Beside others, such as one of the kubelet, it is told by its kind.
    of_kind = (each for each in documents if each.get("kind") == _KIND)
    document = next(of_kind, documents[0] if documents else {})
    networking = document.get("networking")
    if not isinstance(networking, dict):
        return _Networking(missing=f"ClusterConfiguration of {_OBJECT} has no networking")
    pod, service = _cidrs(networking.get("podSubnet")), _cidrs(networking.get("serviceSubnet"))
    subnets = (("podSubnet", pod), ("serviceSubnet", service))
    absent = [name for name, cidrs in subnets if not usable(cidrs)[0]]
    missing = f"networking in {_OBJECT} has no usable {' and '.join(absent)}" if absent else ""
    return _Networking(pod, service, missing)


def _cidrs(value: object) -> tuple[str, ...]:
    # kubeadm writes "v4,v6"; people also write lists.
    # Nothing but texts counts: a few aliases of YAML are a text of gigabytes.
    entries = value if isinstance(value, list) else [value]
    texts = (entry for entry in entries if isinstance(entry, str))
    return normalise(part for text in texts for part in text.split(","))


WATCHED: Final = WatchedObjects(
    _OBJECT,
    Selection((CONFIG_MAPS,), namespace="kube-system", fields="metadata.name=kubeadm-config"),
    read_kubeadm_config,
)


@dataclass(frozen=True)
class Kubeadm:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = (WATCHED,)

    def report(self, observations: Observations) -> SourceReport:
        """Pod and service subnets."""
        observation = observations[WATCHED.title]
        networking = next(iter(observation.entries.values()), _Networking())
        return SourceReport(
            source="kubeadm-config",
            pod=networking.pod,
            service=networking.service,
            missing=networking.missing if observation.entries else observation.why_empty(WATCHED),
            unread=observation.unread(WATCHED),
        )
