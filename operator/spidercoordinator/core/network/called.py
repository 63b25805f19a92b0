"""Which plugins a runtime calls for pods of a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spidercoordinator.api.multus import NETWORK_OF, SpiderMultusConfigSpec
from spidercoordinator.core.network.ipam import default_of
from spidercoordinator.core.network.plugins import COORDINATOR
from spidercoordinator.core.network.render import RENDERERS, json_text
from spidercoordinator.core.network.render.plugin import Addressing, Plugin


def called_plugins(
    spec: SpiderMultusConfigSpec, default_ipam: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Field and name of each plugin and IPAM plugin of a network, in the order of the list.

    Args:
        spec: A spec that `core.network.validation` found nothing wrong with.
        default_ipam: IPAM of a network that names none; empty where there is none.
    """
    if spec.network is None:
        content = json_text.plain(spec.custom_cni or "{}")
        yield from _named("spec.customCNI", content.get("plugins") or [content])
        return
    network = NETWORK_OF[spec.cni_type]
    default = default_of(spec, default_ipam)
    parts = RENDERERS[spec.cni_type](
        spec.network, Addressing(spec.disable_ipam, spec.ipam, default)
    )
    before, main, after = ([*parts.before], {**parts.main}, [*parts.after])
    ipam = main.pop("ipam", {})
    yield from _named(f"spec.{network}", before)
    yield from _named("spec.cniType", [main])
    pools = getattr(spec.network, "ippools", None)
    yield from _named(f"spec.{network}.ippools" if pools else "spec.ipam", [ipam])
    yield from _named(f"spec.{network}", after)
    for index, text in enumerate(spec.chain_cni_json_data or ()):
        yield from _named(f"spec.chainCNIJsonData[{index}]", [json_text.plain(text)])
    if spec.runs_coordinator:
        yield "spec.enableCoordinator", COORDINATOR


def _named(field: str, plugins: list[Plugin]) -> Iterator[tuple[str, str]]:
    for plugin in plugins:
        ipam: Any = plugin.get("ipam")
        for each in (plugin, ipam if isinstance(ipam, dict) else {}):
            if isinstance(name := each.get("type"), str) and name:
                yield field, name
