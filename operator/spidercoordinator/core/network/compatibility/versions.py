"""Rules about the CNI version of a list and the versions that its plugins speak.

A plugin refuses a configuration of a version that it does not know, so no pod of the network
starts. What is here holds for every release seen: plugins gain newer versions with time, and which
ones a node's binaries speak is known there alone (`CNI_COMMAND=VERSION`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from spidercoordinator.api import nad
from spidercoordinator.api.multus import SPIDERPOOL, SpiderMultusConfigSpec
from spidercoordinator.core.network.compatibility.rule import Subject
from spidercoordinator.core.network.render import RENDERERS, json_text
from spidercoordinator.core.network.render.plugin import Addressing, Plugin

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
    fault = _fault(subject.cni_version, _rendered(spec))
    return (
        f"{fault}; set the annotation to a version of these: {_speakable(spec)}" if fault else None
    )


def custom_version(subject: Subject) -> str | None:
    """The version inside customCNI."""
    spec = subject.spec
    if spec.cni_type != "custom" or not spec.custom_cni:
        return None
    content = json_text.plain(spec.custom_cni)
    version = content.get("cniVersion")
    if version not in nad.CNI_VERSIONS:
        return None  # another rule's
    fault = _fault(version, content.get("plugins") or [content])
    return f"{fault}; change its cniVersion" if fault else None


def _rendered(spec: SpiderMultusConfigSpec) -> list[Plugin]:
    """The plugins of a network, as far as spec tells; without the default IPAM."""
    network = RENDERERS[spec.cni_type](spec.network, Addressing(spec.disable_ipam, spec.ipam, {}))
    chain = [json_text.plain(text) for text in spec.chain_cni_json_data or ()]
    return [*network.before, network.main, *network.after, *chain]


def _speakable(spec: SpiderMultusConfigSpec) -> str:
    plugins = _rendered(spec)
    return ", ".join(each for each in nad.CNI_VERSIONS if _fault(each, plugins) is None) or "none"


def _fault(version: str, plugins: list[Plugin]) -> str | None:
    for name in _types(plugins):
        number = _number(version)
        if name in _FIRST and number < _number(_FIRST[name]):
            return f"{version} is not spoken by {name}, which begins with {_FIRST[name]}: pods fail"
        if name in _LAST and number > _number(_LAST[name]):
            return f"{version} is not spoken by {name}, which ends with {_LAST[name]}: pods fail"
    return None


def _types(plugins: list[Plugin]) -> Iterator[str]:
    """The plugins and the IPAM plugins that they call: both get the list's version."""
    for plugin in plugins:
        ipam: Any = plugin.get("ipam")
        for each in (plugin, ipam if isinstance(ipam, dict) else {}):
            if isinstance(name := each.get("type"), str):
                yield name


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
