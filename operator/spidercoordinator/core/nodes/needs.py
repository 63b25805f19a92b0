"""Which questions a network puts to the nodes that its pods may run on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from spidercoordinator.api import nad
from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.api.networks import IPoIBNetwork, MasterNetwork
from spidercoordinator.core.network.called import called_plugins
from spidercoordinator.core.network.render import json_text
from spidercoordinator.core.network.render.plugin import is_in_pod
from spidercoordinator.core.nodes.fleet import Question
from spidercoordinator.core.nodes.questions import (
    BearsMTU,
    HasInterface,
    HasMultus,
    HasPlugin,
    Speaks,
)

_ON_MASTER: Final = ("macvlan", "ipvlan")
"""Types whose plugins refuse an MTU above that of the interface below."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that pods of a network need of their node.

    Attributes:
        reason: why a node that lacks it does not serve the network; one CamelCase word.
        field: path of the field that wants it.
        question: what the node is asked.
        what: it, as the subject of a sentence.
        lack: what is the matter with it on a node that lacks it.
        remedy: what to do.
    """

    reason: str
    field: str
    question: Question
    what: str
    lack: str
    remedy: str


def needs_of(
    spec: SpiderMultusConfigSpec,
    default_ipam: Mapping[str, Any] | None = None,
    *,
    cni_version: str = "",
) -> Iterator[Need]:
    """Each thing that pods of the network need of their node, once.

    Args:
        spec: A spec that `core.network.validation` found nothing wrong with.
        default_ipam: IPAM of a network that names none; None when that is not known.
        cni_version: Version of the list that is rendered; empty when that is not known.
    """
    yield Need("MultusMissing", "spec", HasMultus(), "Multus", "is not", "install it there")
    yield from _masters(spec)
    called = dict[str, str]()
    for field, name in called_plugins(spec, default_ipam or {}):
        called.setdefault(name, field)
    for name, field in called.items():
        what = f'CNI plugin "{name}"'
        yield Need("PluginMissing", field, HasPlugin(name), what, "is not", "install it there")
    version, field = _version(spec, cni_version)
    for name in called if version else ():
        yield Need(
            "CNIVersionUnspoken",
            field,
            Speaks(name, version),
            f'CNI version {version} of plugin "{name}"',
            "is not spoken",
            "set one that it speaks",
        )


def _version(spec: SpiderMultusConfigSpec, cni_version: str) -> tuple[str, str]:
    """The version that plugins are called with, empty when it is not known, and its field."""
    if spec.network is not None:
        return cni_version, f"metadata.annotations[{nad.CNI_VERSION}]"
    content = json_text.plain(spec.custom_cni or "{}")
    return str(content.get("cniVersion") or ""), "spec.customCNI"


def _masters(spec: SpiderMultusConfigSpec) -> Iterator[Need]:
    """Each interface that pods' interfaces, or VLAN interfaces and bonds, are made on.

    The masters of a bond must be there also where the bond is: the ifacer plugin takes no other
    than one of them. A master inside the pod is nothing that a node has.
    """
    network = spec.network
    if isinstance(network, IPoIBNetwork):
        yield _master(f"spec.{spec.cni_type}.master", network.master)
    elif isinstance(network, MasterNetwork) and not is_in_pod(network):
        for index, name in enumerate(network.master):
            field = f"spec.{spec.cni_type}.master[{index}]"
            yield _master(field, name)
            mtu = getattr(network, "mtu", None)
            if mtu and spec.cni_type in _ON_MASTER and not network.vlan_id:
                yield Need(
                    "MTUAboveMaster",
                    f"spec.{spec.cni_type}.mtu",
                    BearsMTU(name, mtu),
                    f"MTU {mtu} on {name}",
                    "is not possible",
                    f"set at most the MTU of {name}",
                )


def _master(field: str, name: str) -> Need:
    return Need(
        "MasterMissing",
        field,
        HasInterface(name),
        f'interface "{name}"',
        "is not",
        "see `ip link` there",
    )
