"""Rules about the CNI configurations inside customCNI and chainCNIJsonData."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError

from spidercoordinator.api import nad
from spidercoordinator.api.coordinator import CoordinatorSettings
from spidercoordinator.api.multus import NO_OWN_MAC
from spidercoordinator.api.networks import LEAST_MTU_IPV6
from spidercoordinator.api.scalars import OFF
from spidercoordinator.core.network import pluginsettings
from spidercoordinator.core.network.compatibility.rule import Subject
from spidercoordinator.core.network.plugins import COORDINATOR, NEEDS_IPAM
from spidercoordinator.core.network.render import json_text

_VERSIONS: Final = ("0.1.0", "0.2.0", *nad.CNI_VERSIONS)
_LIST_NAME: Final = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_.]*")
_LONGEST: Final = 64
_IPV6: Final = 6
_NO_IPV6: Final = re.compile(r"/?net[./]ipv6[./]conf[./](IFNAME|all)[./]disable_ipv6")
_OLD_VERSIONS: Final = frozenset({"", "0.1.0", "0.2.0"})
"""Versions of CNI without lists of plugins; a configuration without a version counts as 0.1.0."""


def coordinator_twice(subject: Subject) -> str | None:
    """The chain has a coordinator, and another is added."""
    spec = subject.spec
    if not spec.runs_coordinator:
        return None
    for index, text in enumerate(spec.chain_cni_json_data or ()):
        if json_text.plain(text).get("type") == COORDINATOR:
            return (
                f"entry {index} is a coordinator, and enableCoordinator adds another with other"
                " settings; remove it and write its settings into spec.coordinator"
            )
    return None


def fixed_mac(subject: Subject) -> str | None:
    """One MAC address for all pods, by the tuning plugin."""
    spec = subject.spec
    if spec.network is None:
        return None
    for index, text in enumerate(spec.chain_cni_json_data or ()):
        plugin = json_text.plain(text)
        if plugin.get("type") == "tuning" and plugin.get("mac"):
            mac = plugin["mac"]
            if spec.cni_type in NO_OWN_MAC:
                return (
                    f"entry {index} sets the MAC address {mac}, which interfaces of cniType"
                    f" {spec.cni_type} do not take, so pods fail to start; remove mac"
                )
            return (
                f"entry {index} gives the MAC address {mac} to all pods, of which one has traffic;"
                " remove mac, or set coordinator.podMACPrefix"
            )
    return None


def wrong_setting(subject: Subject) -> str | None:
    """A value that a plugin of containernetworking refuses, so that every pod fails."""
    spec = subject.spec
    if spec.network is not None:
        texts = spec.chain_cni_json_data or ()
        named = [(f"entry {index}", json_text.plain(each)) for index, each in enumerate(texts)]
        main = str(spec.cni_type)
    else:
        content = json_text.plain(spec.custom_cni or "{}")
        plugins = content.get("plugins") or [content]
        named = [(f"plugins[{index}]", each) for index, each in enumerate(plugins)]
        main = str(plugins[0].get("type"))
    for at, plugin in named:
        if fault := pluginsettings.wrong_setting(plugin, main):
            return f"{at} ({plugin['type']}): {fault}; as it is, pods fail to start"
    return None


def tuned_ipv6(subject: Subject) -> str | None:
    """Settings of the tuning plugin that take the pods' IPv6 addresses away."""
    spec = subject.spec
    if spec.network is None or _IPV6 not in (subject.families or ()):
        return None
    for index, text in enumerate(spec.chain_cni_json_data or ()):
        plugin = json_text.plain(text)
        if plugin.get("type") != "tuning" or pluginsettings.wrong_setting(plugin, spec.cni_type):
            continue
        mtu, sysctl = plugin.get("mtu") or LEAST_MTU_IPV6, plugin.get("sysctl") or {}
        if mtu < LEAST_MTU_IPV6:
            return (
                f"entry {index} sets mtu {mtu}, below {LEAST_MTU_IPV6}, with which an interface has"
                f" no IPv6, and pods have IPv6 addresses; use {LEAST_MTU_IPV6} or more"
            )
        for key, value in sysctl.items():
            if _NO_IPV6.fullmatch(key) and value.strip() not in {"", "0"}:
                return (
                    f"entry {index} sets {key} to {value.strip()[:8]}, which takes the IPv6"
                    " addresses away that pods have; remove it"
                )
    return None


def wrong_list(subject: Subject) -> str | None:
    """What of a list in customCNI runtimes refuse."""
    if subject.spec.network is not None or not subject.spec.custom_cni:
        return None
    content = json_text.plain(subject.spec.custom_cni)
    name = content.get("name")
    if name not in (None, "") and not (isinstance(name, str) and _LIST_NAME.fullmatch(name)):
        return (
            f"its name is {json.dumps(name)[:_LONGEST]}, which runtimes refuse, so pods fail to"
            ' start; allowed are letters, digits, ".", "-" and "_", beginning with a letter or'
            " digit"
        )
    return None


def unknown_version(subject: Subject) -> str | None:
    """A version of CNI that does not exist."""
    spec = subject.spec
    if spec.cni_type != "custom" or not spec.custom_cni:
        return None
    version = json_text.plain(spec.custom_cni).get("cniVersion")
    if version is None or version in ("", *_VERSIONS):
        return None
    return (
        f"its cniVersion is {json.dumps(version)}, which no plugin knows, so pods fail to start;"
        f" known are {', '.join(_VERSIONS)}"
    )


def custom_coordinator(subject: Subject) -> str | None:
    """What is wrong with the coordinator inside customCNI."""
    spec = subject.spec
    if spec.cni_type != "custom" or not spec.custom_cni:
        return None
    content = json_text.plain(spec.custom_cni)
    plugins = content.get("plugins") or [content]
    sections = [each for each in plugins if each["type"] == COORDINATOR]
    if not sections:
        return None
    return next(_faults(content, plugins, sections), None)


def _faults(
    content: dict[str, Any], plugins: list[dict[str, Any]], sections: list[dict[str, Any]]
) -> Iterator[str]:
    if len(sections) > 1:
        yield "coordinator is in it more than once; pods get what the last one says; keep one"
    version = content.get("cniVersion") or ""
    if isinstance(version, str) and version in _OLD_VERSIONS:
        yield (
            f'its cniVersion is "{version}", and coordinator works from 0.3.0 on, so pods fail to'
            ' start; write "cniVersion": "0.4.0"'
        )
    if plugins[0]["type"] in NEEDS_IPAM and not plugins[0].get("ipam"):
        yield (
            f"{plugins[0]['type']} has no ipam section, and the coordinator fails at an interface"
            " without an address; add one, or remove the coordinator"
        )
    for section in sections:
        yield from _wrong_settings(section)


def _wrong_settings(section: dict[str, Any]) -> Iterator[str]:
    names = {each.lower(): each for each in _names()}
    given = {names[key.lower()]: value for key, value in section.items() if key.lower() in names}
    for name, value in given.items():
        if value == OFF:
            yield f'{name} of the coordinator is "{OFF}", which the plugin refuses; leave it out'
    try:
        CoordinatorSettings.model_validate(given)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        yield f"{detail['loc'][0]} of the coordinator: {detail['msg']}"


def _names() -> Iterator[str]:
    """The names of settings, which the plugin reads in any case of letters."""
    yield from (str(each.alias) for each in CoordinatorSettings.model_fields.values())


def no_effect_with_custom(subject: Subject) -> str | None:
    """Settings that only the other types render."""
    spec = subject.spec
    if spec.cni_type != "custom" or not (spec.coordinator or spec.chain_cni_json_data):
        return None
    return (
        "coordinator and chainCNIJsonData have no effect with cniType custom; write them inside"
        " customCNI"
    )
