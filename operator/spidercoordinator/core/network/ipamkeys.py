"""The keys of IPAM sections that are known, and of what kind the value of each is.

Plugins decode their section with Go's encoding/json: a key in any case of letters, null as absent,
and a value of another kind fails every pod. Sources: those of `ipamsection`, and pkg/types of
containernetworking/cni for routes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from spidercoordinator.api.objects import Object

HOST_LOCAL: Final = "host-local"
STATIC: Final = "static"
WHEREABOUTS: Final = "whereabouts"

_TEXT, _NUMBER, _BOOLEAN, _LIST, _OBJECT = (
    "a text",
    "a number",
    "true or false",
    "a list",
    "an object",
)
_KIND_OF: Final = {str: _TEXT, bool: _BOOLEAN, int: _NUMBER, list: _LIST, dict: _OBJECT}

_RANGE: Final = dict.fromkeys(("subnet", "rangeStart", "rangeEnd", "gateway"), _TEXT)
_PART: Final = dict.fromkeys(("range", "range_start", "range_end"), _TEXT) | {
    "exclude": _LIST,
    "enable_l3": _BOOLEAN,
}
_ADDRESS: Final = dict.fromkeys(("address", "gateway"), _TEXT)
_ROUTE: Final = dict.fromkeys(("dst", "gw"), _TEXT) | dict.fromkeys(
    ("mtu", "advmss", "priority", "table", "scope"), _NUMBER
)

_KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    HOST_LOCAL: _RANGE
    | dict.fromkeys(("dataDir", "resolvConf", "name"), _TEXT)
    | dict.fromkeys(("ranges", "routes"), _LIST),
    STATIC: dict.fromkeys(("addresses", "routes"), _LIST) | {"dns": _OBJECT, "name": _TEXT},
    WHEREABOUTS: _PART
    | dict.fromkeys(
        (
            *("gateway", "node_slice_size", "network_name", "name", "configuration_path"),
            *("log_file", "log_level", "datastore", "reconciler_cron_expression"),
        ),
        _TEXT,
    )
    | dict.fromkeys(("ipRanges", "routes", "addresses"), _LIST)
    | dict.fromkeys(
        (
            *("sleep_for_race", "leader_lease_duration", "leader_renew_deadline"),
            "leader_retry_period",
        ),
        _NUMBER,
    )
    | {"dns": _OBJECT, "kubernetes": _OBJECT, "enable_overlapping_ranges": _BOOLEAN},
}
"""IPAM plugin → the keys that it reads, and of what kind their values are."""
_ITEMS: Final = {"routes": _ROUTE, "addresses": _ADDRESS, "ipRanges": _PART, "ranges": _RANGE}
"""Key of a list of objects, or of lists of them → the same of its items."""
_DEEPEST: Final = 2
"""Lists in one another, as those of host-local's ranges."""
_ZEROS: Final = re.compile(r"(?<![0-9A-Fa-f:])0+(?=\d+(?:[./-]|$))")
"""Zeros that a decimal number begins with."""


def canonical(section: Mapping[str, Any]) -> dict[str, Any]:
    """The section with its keys in the letters that the plugin's documents use, null left out."""
    given = _spelt(section, _KEYS.get(str(section.get("type")), {}))
    return given | {key: _items_spelt(given[key], _ITEMS[key]) for key in _ITEMS if key in given}


def _spelt(given: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    spellings = {each.lower(): each for each in keys}
    return {
        spellings.get(str(key).lower(), key): value
        for key, value in given.items()
        if value is not None
    }


def _items_spelt(given: Any, keys: Mapping[str, str], depth: int = _DEEPEST) -> Any:
    if isinstance(given, Mapping):
        return _spelt(given, keys)
    if isinstance(given, list) and depth:
        return [_items_spelt(each, keys, depth - 1) for each in given]
    return given


def wrong_kind(section: Mapping[str, Any]) -> str | None:
    """The first value that the plugin cannot decode; None for none.

    Args:
        section: As `canonical` gives it.
    """
    return next(_wrong_kinds(section, _KEYS.get(str(section.get("type")), {}), ""), None)


def _wrong_kinds(given: Mapping[str, Any], keys: Mapping[str, str], at: str) -> Iterator[str]:
    for key, wanted in keys.items():
        value = given.get(key)
        if value is not None and _KIND_OF.get(type(value)) != wanted:
            yield f"{at}{key} is {shown(value)}; allowed is {wanted}"
        elif key in _ITEMS and isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, Mapping):
                    yield from _wrong_kinds(item, _ITEMS[key], f"{at}{key}[{index}].")


def unknown_key(section: Mapping[str, Any]) -> str | None:
    """A key that the plugin does not read, which is what a misspelt one is."""
    known = _KEYS.get(str(section.get("type")))
    if known is None:
        return None
    given = canonical(section)
    nested = (
        (f"{key}{at}.", item, _ITEMS[key])
        for key in _ITEMS
        if key in known
        for at, item in _objects(given.get(key))
    )
    for at, part, keys in (("", section, {**known, "type": _TEXT}), *nested):
        spellings = {each.lower() for each in keys}
        for key in part:
            if str(key).lower() not in spellings:
                like = get_close_matches(str(key), keys, n=1)
                hint = f"did you mean {like[0]}?" if like else "remove it"
                name = f"{at}{str(key)[:64]}"
                return f"{section['type']} has no {name!r} and passes over it; {hint}"
    return None


def _objects(given: Any, at: str = "", depth: int = _DEEPEST) -> Iterator[tuple[str, Object]]:
    """The objects in a list, or in lists of one, and where they stand."""
    for index, each in enumerate(given if isinstance(given, list) else ()):
        if isinstance(each, dict):
            yield f"{at}[{index}]", each
        elif depth > 1:
            yield from _objects(each, f"{at}[{index}]", depth - 1)


def without_zeros(item: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """With a text as whereabouts reads it: as decimal numbers, whatever zeros they begin with.

    Only `range`, `gateway` and `exclude` are read so (ParseCIDRSloppy of k8s.io/utils/net); Go's
    own decoding of `range_start` and `range_end` refuses them.
    """
    text = item.get(key)
    return {**item, key: _ZEROS.sub("", text)} if isinstance(text, str) else item


def shown(value: Any) -> str:
    """A value for people, however long it is."""
    return repr(str(value)[:64])
