"""Rules about the CNI version of a list and the versions that its plugins speak.

A plugin refuses a configuration of a version that it does not know, so no pod of the network
starts. What is here holds for every release seen: plugins gain newer versions with time, and which
ones a node's binaries speak is known there alone (`CNI_COMMAND=VERSION`).
"""

from __future__ import annotations

from typing import Final

from spidercoordinator.api import nad
from spidercoordinator.api.multus import SPIDERPOOL
from spidercoordinator.core.network.called import called_plugins
from spidercoordinator.core.network.compatibility.rule import Subject
from spidercoordinator.core.network.render import json_text

_FIRST: Final = {
    "bandwidth": "0.3.0",
    "portmap": "0.3.0",
    "tuning": "0.3.0",
    "vrf": "0.3.1",
    "coordinator": "0.3.0",
    "firewall": "0.4.0",
    "ifacer": "0.3.0",
}
"""The first version that plugins speak: containernetworking/plugins v1.1 to v1.9, and ours."""

_LAST: Final = {SPIDERPOOL: "1.0.0"}
"""The last version that plugins speak: Spiderpool's IPAM up to v1.2."""


def list_version(subject: Subject) -> str | None:
    """The version of a list that the operator renders."""
    spec = subject.spec
    if spec.network is None or not subject.cni_version:
        return None
    fault = _fault(subject.cni_version, subject)
    if fault is None:
        return None
    speakable = [each for each in nad.CNI_VERSIONS if _fault(each, subject) is None]
    return f"{fault}; set the annotation to a version of these: {', '.join(speakable) or 'none'}"


def custom_version(subject: Subject) -> str | None:
    """The version inside customCNI."""
    spec = subject.spec
    if spec.cni_type != "custom" or not spec.custom_cni:
        return None
    version = json_text.plain(spec.custom_cni).get("cniVersion")
    if version not in nad.CNI_VERSIONS:
        return None  # another rule's
    fault = _fault(version, subject)
    return f"{fault}; change its cniVersion" if fault else None


def _fault(version: str, subject: Subject) -> str | None:
    """What a plugin of the network does not speak; the list's version goes to IPAM plugins, too."""
    number = _number(version)
    for _, name in called_plugins(subject.spec, subject.ipam.default):
        if name in _FIRST and number < _number(_FIRST[name]):
            return f"{version} is not spoken by {name}, which begins with {_FIRST[name]}: pods fail"
        if name in _LAST and number > _number(_LAST[name]):
            return f"{version} is not spoken by {name}, which ends with {_LAST[name]}: pods fail"
    return None


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
