"""What can never work in the CNI configurations inside customCNI and chainCNIJsonData."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.core.network.plugins import COORDINATOR, IPAM, MAIN
from spidercoordinator.core.network.render import json_text


def text_problems(spec: SpiderMultusConfigSpec) -> Iterator[tuple[str, str]]:
    """Field and problem of each text that no pod could start with."""
    custom = spec.cni_type == "custom"
    if custom and spec.custom_cni:
        yield from _custom(spec.custom_cni)
    for index, text in enumerate(spec.chain_cni_json_data or ()):
        field = f"spec.chainCNIJsonData[{index}]"
        content, problem = _parsed(text, "a CNI configuration with a type")
        if problem:
            yield field, problem
        elif not _has_type(content):
            yield field, "it is JSON, but not a CNI configuration with a type"
        elif not custom and (problem := _not_in_a_chain(content["type"])):
            yield field, problem


def _custom(text: str) -> Iterator[tuple[str, str]]:
    field = "spec.customCNI"
    expected = "a CNI configuration with a type, or a configuration list with plugins"
    content, problem = _parsed(text, expected)
    if problem:
        yield field, problem
    elif isinstance(content, dict) and "plugins" in content:
        entries = content["plugins"]
        if not isinstance(entries, list) or not entries or not all(map(_has_type, entries)):
            yield field, "each of its plugins must be an object with a non-empty type"
        else:
            yield from ((field, each) for each in _list_problems([e["type"] for e in entries]))
    elif not _has_type(content):
        yield field, f"it is JSON, but not {expected}"
    else:
        yield from ((field, each) for each in _list_problems([content["type"]]))


def _list_problems(types: Sequence[str]) -> Iterator[str]:
    if types[0] == COORDINATOR:
        yield (
            "its first plugin is coordinator, which fails without an interface: put it after the"
            " plugin that makes one"
        )
    for index, each in enumerate(types[1:], start=1):
        if problem := _not_in_a_chain(each):
            yield f"plugins[{index}]: {problem}"


def _not_in_a_chain(plugin: str) -> str:
    if plugin in MAIN:
        return (
            f'"{plugin}" makes the pod\'s interface, and the plugin before it has made that'
            " already, so pods fail to start; make a network of its own of it"
        )
    if plugin in IPAM:
        return (
            f'"{plugin}" is an IPAM plugin and fails in a chain; write it into the ipam section of'
            " the main plugin"
        )
    return ""


def _parsed(text: str, expected: str) -> tuple[Any, str]:
    try:
        return json_text.loads(text), ""
    except ValueError as error:
        return None, f"it is not JSON ({error}); write {expected}"


def _has_type(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("type"), str) and entry["type"] != ""
