"""kubeadm's own record of how it made the cluster: ConfigMap kube-system/kubeadm-config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import yaml

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.selection import Finding, normalise
from spidercoordinator.discovery.source import Board, Topic
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CONFIG_MAPS

_OBJECT: Final = "ConfigMap kube-system/kubeadm-config"


@dataclass(frozen=True, slots=True)
class _Networking:
    pod: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    trouble: str = ""


def read_kubeadm_config(thing: Object) -> _Networking:
    """Read `networking` of the ClusterConfiguration; it is YAML, and read as such."""
    text = (thing.get("data") or {}).get("ClusterConfiguration")
    if text is None:
        return _Networking(trouble=f"{_OBJECT} has no key ClusterConfiguration")
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0]
        return _Networking(trouble=f"ClusterConfiguration of {_OBJECT} is no YAML: {first}")
    networking = parsed.get("networking") if isinstance(parsed, dict) else None
    if not isinstance(networking, dict):
        return _Networking(trouble=f"ClusterConfiguration of {_OBJECT} has no networking")
    pod, service = _cidrs(networking.get("podSubnet")), _cidrs(networking.get("serviceSubnet"))
    missing = [
        name for name, cidrs in (("podSubnet", pod), ("serviceSubnet", service)) if not cidrs
    ]
    trouble = f"networking in {_OBJECT} has no usable {' and '.join(missing)}" if missing else ""
    return _Networking(pod, service, trouble)


def _cidrs(value: object) -> tuple[str, ...]:
    # kubeadm writes "v4,v6"; people also write lists.
    entries = value if isinstance(value, list) else str(value or "").split(",")
    return normalise(str(entry) for entry in entries)


TOPIC: Final = Topic(
    _OBJECT,
    Selection((CONFIG_MAPS,), namespace="kube-system", fields="metadata.name=kubeadm-config"),
    read_kubeadm_config,
)


@dataclass(frozen=True)
class Kubeadm:
    """See the module."""

    topics: tuple[Topic, ...] = (TOPIC,)

    def find(self, board: Board) -> Finding:
        """Pod and service subnets."""
        seen = board[TOPIC.title]
        networking = next(iter(seen.kept.values()), None)
        if networking is None:
            return Finding(source="kubeadm-config", lacks=seen.lacks(TOPIC))
        return Finding(
            source="kubeadm-config",
            pod=networking.pod,
            service=networking.service,
            lacks=networking.trouble,
        )
