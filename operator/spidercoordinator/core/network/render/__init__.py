"""From a SpiderMultusConfig to the text of its NAD. One file a CNI type, listed in `RENDERERS`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.core.coordinator.section import NOT_READY_KEY
from spidercoordinator.core.network.ipam import NO_IPAM, default_of, lacks_ipam
from spidercoordinator.core.network.render import (
    ib_sriov,
    ipoib,
    ipvlan,
    json_text,
    macvlan,
    ovs,
    sriov,
    vlan,
)
from spidercoordinator.core.network.render.plugin import Addressing, Plugin, Plugins, Renderer

RENDERERS: Final[Mapping[str, Renderer]] = MappingProxyType(
    {
        "macvlan": macvlan.render,
        "ipvlan": ipvlan.render,
        "vlan": vlan.render,
        "sriov": sriov.render,
        "ib-sriov": ib_sriov.render,
        "ipoib": ipoib.render,
        "ovs": ovs.render,
    }
)

# The list has a name and a version; those of an entry would be overwritten by libcni anyhow.
_LIST_KEYS: Final = frozenset({"name", "cniVersion"})


@dataclass(frozen=True, slots=True)
class RenderedConfig:
    """A NAD's content.

    Attributes:
        config: text of spec.config.
        resource: device plugin resource for the NAD's annotation, empty for none.
    """

    config: str
    resource: str = ""


def render_config(
    spec: SpiderMultusConfigSpec,
    *,
    name: str,
    cni_version: str,
    section: Mapping[str, Any],
    default_ipam: Mapping[str, Any],
) -> RenderedConfig:
    """Render one network.

    Args:
        spec: A spec that `core.network.validation` found nothing wrong with.
        name: Name inside the configuration.
        cni_version: Version of the configuration list.
        section: The coordinator section without its type.
        default_ipam: IPAM of a network that names none, empty when there is none.

    Returns:
        The configuration; with cniType custom it is the user's text as it is. Of a network that
        has no IPAM it is the coordinator alone, which fails the pod with that reason before any
        interface is made.

    Raises:
        ValueError: A text of chainCNIJsonData is no JSON object.
    """
    network = spec.network
    if network is None:
        return RenderedConfig(spec.custom_cni or "")
    default = default_of(spec, default_ipam)
    plugins = RENDERERS[spec.cni_type](network, Addressing(spec.disable_ipam, spec.ipam, default))
    if lacks_ipam(spec, default_ipam):
        listed = [{"type": "coordinator", NOT_READY_KEY: NO_IPAM}]
    else:
        listed = _in_order(plugins, spec, section)
    return RenderedConfig(
        config=json_text.dumps(
            {
                "cniVersion": cni_version,
                "name": name,
                "plugins": listed,
            }
        ),
        resource=plugins.resource,
    )


def _in_order(
    plugins: Plugins, spec: SpiderMultusConfigSpec, section: Mapping[str, Any]
) -> list[Plugin]:
    """The coordinator comes last: it arranges what all others have made."""
    coordinator = [{"type": "coordinator", **section}] if spec.runs_coordinator else []
    chain = _chain(spec.chain_cni_json_data or ())
    main = plugins.main | _capabilities(spec)
    return [*plugins.before, main, *plugins.after, *chain, *coordinator]


def _capabilities(spec: SpiderMultusConfigSpec) -> Plugin:
    """What the main plugin takes of a pod's wishes; those that are off are left out."""
    wanted = spec.capabilities.model_dump() if spec.capabilities else {}
    granted = {name: True for name, allowed in wanted.items() if allowed}
    return {"capabilities": granted} if granted else {}


def _chain(texts: Iterable[str]) -> list[Plugin]:
    entries = (json_text.loads(text) for text in texts)
    return [{k: v for k, v in entry.items() if k not in _LIST_KEYS} for entry in entries]
